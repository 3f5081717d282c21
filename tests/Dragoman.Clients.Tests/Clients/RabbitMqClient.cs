using Dragoman.Clients.Tests.Reporting;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Dragoman.Clients.Tests.Clients;

/// <summary>RabbitMQ's own .NET client.</summary>
internal sealed class RabbitMqClient : IForeignClient
{
    /// <summary>How long a test waits for a message; far more than it takes.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public static string Name => "RabbitMQ.Client";

    public static Task<string> VersionAsync() => Task.FromResult(typeof(ConnectionFactory).Assembly.GetName().Version!.ToString(3));

    /// <summary>Connects.</summary>
    public static Task<IConnection> ConnectAsync(int port, bool recovers = false, Action<ConnectionFactory>? configure = null)
    {
        var factory = new ConnectionFactory { HostName = "127.0.0.1", Port = port, AutomaticRecoveryEnabled = recovers, NetworkRecoveryInterval = TimeSpan.FromMilliseconds(200) };
        configure?.Invoke(factory);
        return factory.CreateConnectionAsync();
    }

    /// <summary>A channel on which every publish waits for its confirm, and throws if it is returned or refused.</summary>
    public static Task<IChannel> ConfirmingAsync(IConnection connection) =>
        connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true));
}

/// <summary>Takes the messages of a consumer, to be asked for one by one.</summary>
internal sealed class Inbox
{
    private readonly System.Threading.Channels.Channel<BasicDeliverEventArgs> _messages = System.Threading.Channels.Channel.CreateUnbounded<BasicDeliverEventArgs>();

    private Inbox(string tag) => Tag = tag;

    /// <summary>The consumer's tag.</summary>
    public string Tag { get; private set; }

    /// <summary>Completes when the broker cancels the consumer.</summary>
    public TaskCompletionSource Cancelled { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Begins to consume.</summary>
    public static async Task<Inbox> OpenAsync(IChannel channel, string queue, bool autoAck = true, bool exclusive = false, IDictionary<string, object?>? arguments = null, string tag = "")
    {
        var inbox = new Inbox(tag);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += (_, delivery) =>
        {
            // The body is the client's own memory, and only lent.
            var copy = new BasicDeliverEventArgs(
                delivery.ConsumerTag, delivery.DeliveryTag, delivery.Redelivered, delivery.Exchange, delivery.RoutingKey, new BasicProperties(delivery.BasicProperties), delivery.Body.ToArray());
            inbox._messages.Writer.TryWrite(copy);
            return Task.CompletedTask;
        };
        consumer.UnregisteredAsync += (_, _) =>
        {
            inbox.Cancelled.TrySetResult();
            return Task.CompletedTask;
        };
        inbox.Tag = await channel.BasicConsumeAsync(queue, autoAck, tag, noLocal: false, exclusive, arguments, consumer);
        return inbox;
    }

    /// <summary>The next message.</summary>
    public async Task<BasicDeliverEventArgs> NextAsync()
    {
        using var limit = new CancellationTokenSource(RabbitMqClient.Patience);
        return await _messages.Reader.ReadAsync(limit.Token);
    }

    /// <summary>The bodies of the next messages, as text.</summary>
    public async Task<List<string>> NextTextsAsync(int count)
    {
        var texts = new List<string>();
        while (texts.Count < count) texts.Add(System.Text.Encoding.UTF8.GetString((await NextAsync()).Body.Span));
        return texts;
    }

    /// <summary>Whether a message is here that was not asked for.</summary>
    public bool HasMore => _messages.Reader.TryPeek(out _);
}
