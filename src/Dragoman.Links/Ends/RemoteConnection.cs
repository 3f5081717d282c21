using Dragoman.Links.Definitions;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Dragoman.Links.Ends;

/// <summary>A connection to a broker elsewhere, with the channels that a link's end needs.</summary>
internal sealed class RemoteConnection : IAsyncDisposable
{
    private readonly IConnection _connection;
    private readonly TaskCompletionSource<string> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _isBlocked;
    private volatile bool _endedInOrder;

    private RemoteConnection(IConnection connection, AmqpUri uri)
    {
        _connection = connection;
        Uri = uri;
        connection.ConnectionShutdownAsync += OnShutdownAsync;
        connection.ConnectionBlockedAsync += (_, _) => Block(true);
        connection.ConnectionUnblockedAsync += (_, _) => Block(false);
    }

    /// <summary>Where it leads.</summary>
    public AmqpUri Uri { get; }

    /// <summary>Completes with the reason when it is over.</summary>
    public Task<string> Closed => _closed.Task;

    /// <summary>Whether the broker there takes no messages at the moment.</summary>
    public bool IsBlocked => _isBlocked;

    /// <summary>Whether the broker there has said that it stops: then it keeps what it was told.</summary>
    public bool EndedInOrder => _endedInOrder;

    /// <summary>What the broker there says of itself.</summary>
    public string? ServerProperty(string name) => _connection.ServerProperties is { } properties && properties.TryGetValue(name, out var value) ? Messages.Fields.TextOf(value) : null;

    /// <summary>Whether the broker there says that something is so.</summary>
    public bool Says(string name) => _connection.ServerProperties is { } properties && properties.TryGetValue(name, out var value) && value is true;

    /// <summary>Connects to one of some brokers; each is tried.</summary>
    /// <exception cref="LinkException">None answers.</exception>
    public static async Task<RemoteConnection> OpenAsync(IReadOnlyList<AmqpUri> uris, string name, CancellationToken cancellation)
    {
        var order = uris.ToArray();
        Random.Shared.Shuffle(order);
        LinkException? failed = null;
        foreach (var uri in order)
        {
            try
            {
                return new RemoteConnection(await uri.ToFactory(name).CreateConnectionAsync(cancellation).ConfigureAwait(false), uri);
            }
            catch (Exception error) when (error is not OperationCanceledException || !cancellation.IsCancellationRequested)
            {
                failed = new LinkException($"{uri.Shown}: {Explain(error)}", error);
            }
        }
        throw failed!;
    }

    /// <summary>Opens a channel.</summary>
    public Task<IChannel> OpenChannelAsync(CancellationToken cancellation) =>
        _connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: false, publisherConfirmationTrackingEnabled: false), cancellation);

    /// <summary>Runs something on a channel of its own, so that an error closes nothing else.</summary>
    /// <param name="action">What to do.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <returns>The error that the broker there has closed the channel with; null for none.</returns>
    public async Task<(ushort Code, string Text)?> TryAsync(Func<IChannel, Task> action, CancellationToken cancellation)
    {
        var channel = await OpenChannelAsync(cancellation).ConfigureAwait(false);
        try
        {
            await action(channel).ConfigureAwait(false);
            await channel.CloseAsync(cancellation).ConfigureAwait(false);
            return null;
        }
        catch (OperationInterruptedException error) when (error.ShutdownReason is { } reason && _connection.IsOpen)
        {
            return (reason.ReplyCode, reason.ReplyText);
        }
        finally
        {
            await channel.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Makes sure that a queue is there.</summary>
    /// <exception cref="LinkException">It is not, and cannot be declared.</exception>
    public async Task DeclareAsync(EndDefinition end, CancellationToken cancellation)
    {
        var queue = end.Queue!;
        if (await TryAsync(c => c.QueueDeclarePassiveAsync(queue, cancellation), cancellation).ConfigureAwait(false) is not { } missing) return;
        if (missing.Code != Constants.NotFound || end.IsPredeclared) throw new LinkException(missing.Text);
        var arguments = Messages.Fields.ToDictionary(end.QueueArguments);
        if (await TryAsync(c => c.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, arguments, cancellationToken: cancellation), cancellation).ConfigureAwait(false) is { } refused)
            throw new LinkException(refused.Text);
    }

    /// <summary>An error in words that help.</summary>
    public static string Explain(Exception error) => error switch
    {
        LinkException => error.Message,
        BrokerUnreachableException { InnerException: { } inner } => Explain(inner),
        AuthenticationFailureException => "the user name or password was refused",
        OperationInterruptedException { ShutdownReason: { } reason } => $"{reason.ReplyText}",
        AggregateException { InnerException: { } inner } => Explain(inner),
        _ => error.Message,
    };

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await _connection.CloseAsync(Constants.ReplySuccess, "Goodbye", TimeSpan.FromSeconds(5), abort: true).ConfigureAwait(false);
        }
        finally
        {
            await _connection.DisposeAsync().ConfigureAwait(false);
        }
    }

    private Task OnShutdownAsync(object sender, ShutdownEventArgs reason)
    {
        // 320 is CONNECTION_FORCED: an operator has the broker stop, or closes this connection.
        _endedInOrder = reason is { Initiator: ShutdownInitiator.Peer, ReplyCode: Constants.ConnectionForced };
        _closed.TrySetResult(reason.Cause is Exception cause ? $"{reason.ReplyText}: {cause.Message}" : reason.ReplyText);
        return Task.CompletedTask;
    }

    private Task Block(bool isBlocked)
    {
        _isBlocked = isBlocked;
        return Task.CompletedTask;
    }
}
