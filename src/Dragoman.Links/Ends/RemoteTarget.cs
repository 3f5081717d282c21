using Dragoman.Links.Definitions;
using Dragoman.Links.Messages;
using RabbitMQ.Client;

namespace Dragoman.Links.Ends;

/// <summary>
/// Takes messages to a broker elsewhere. Each batch is a transaction there, and the last thing in it is a message that tells
/// of the batch: so after any interruption the broker itself says whether it has the batch.
/// </summary>
/// <remarks>
/// RabbitMQ's transactions are atomic as long as the broker runs, but not when it is killed: then it may have some messages of
/// the batch that was under way, and not others. What it says of that batch is not trusted: where the queue can be looked
/// into, the link looks, and otherwise it sends the batch again, so that nothing is lost.
/// </remarks>
internal sealed class RemoteTarget(EndDefinition end, string link, string connectionName, bool isSafe) : ILinkTarget
{
    /// <summary>What a broker says of itself whose transactions are atomic whatever happens to it.</summary>
    public const string AtomicTransactions = "dragoman.atomic_transactions";

    private const uint MaxInspected = 100_000;

    private readonly Guid _run = Guid.NewGuid();
    private RemoteConnection? _connection;
    private PrivateQueues? _private;
    private IChannel? _channel;
    private long _sequence;
    private long _sure;
    private SentBatch? _pending;
    private bool _wasStoppedInOrder;
    private bool _hasProgress;
    private bool _mustSign;

    public string Uri => _connection?.Uri.Shown ?? end.Uris[0].Shown;

    public bool IsBlocked => _connection is { IsBlocked: true };

    public bool Remembers => false;

    public SentBatch? LastBatch { get; private set; }

    /// <summary>Messages that were sent again although the broker there may have had them.</summary>
    public long Uncertain { get; private set; }

    public async Task OpenAsync(CancellationToken cancellation)
    {
        await CloseAsync().ConfigureAwait(false);
        _connection = await RemoteConnection.OpenAsync(end.Uris, connectionName, cancellation).ConfigureAwait(false);
        if (end.Queue is not null) await _connection.DeclareAsync(end, cancellation).ConfigureAwait(false);
        _channel = await _connection.OpenChannelAsync(cancellation).ConfigureAwait(false);
        if (!isSafe) return;
        _private = new PrivateQueues(_connection, link);
        await _private.OwnAsync(cancellation).ConfigureAwait(false);
        var startedAnew = await _private.WasStartedAnewAsync(cancellation).ConfigureAwait(false);
        _hasProgress = await _private.DeclareProgressAsync(cancellation).ConfigureAwait(false);
        _mustSign = startedAnew;
        var told = _hasProgress ? await _private.ReadProgressAsync(cancellation).ConfigureAwait(false) : null;
        LastBatch = await JudgeAsync(told, startedAnew, cancellation).ConfigureAwait(false);
        _pending = null;
        await _channel.TxSelectAsync(cancellation).ConfigureAwait(false);
    }

    public async ValueTask WriteAsync(LinkWrite write, CancellationToken cancellation)
    {
        var channel = _channel!;
        if (_connection!.Closed.IsCompleted) throw new LinkException(await _connection.Closed.ConfigureAwait(false));
        if (!isSafe)
        {
            await PublishAsync(channel, write.Messages, cancellation).ConfigureAwait(false);
            return;
        }
        await _private!.RenewAsync(cancellation).ConfigureAwait(false);
        var batch = new SentBatch(
            _run, ++_sequence, write.QueueId, write.QueueId == Guid.Empty ? [] : [.. write.Messages.Select(m => m.Number)], [.. write.Messages.Select(m => m.Fingerprint)],
            [.. write.Messages.Select(m => PublishedFingerprint(m.Properties, m.Body.Span))]);
        _pending = batch;
        await PublishAsync(channel, write.Messages, cancellation).ConfigureAwait(false);
        if (_hasProgress)
            await channel.BasicPublishAsync("", _private.Progress, mandatory: false, new BasicProperties { DeliveryMode = DeliveryModes.Persistent }, PrivateQueues.Encode(batch), cancellation).ConfigureAwait(false);
        await channel.TxCommitAsync(cancellation).ConfigureAwait(false);
        _pending = null;
        _sure = batch.Sequence;
        LastBatch = batch;
        // What was in doubt is no longer what the broker there tells.
        if (!_mustSign) return;
        _mustSign = false;
        await _private.SignAsync(cancellation).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync() => await CloseAsync().ConfigureAwait(false);

    private async Task PublishAsync(IChannel channel, IReadOnlyList<LinkMessage> messages, CancellationToken cancellation)
    {
        foreach (var message in messages)
            await channel.BasicPublishAsync(ExchangeOf(message), KeyOf(message), mandatory: false, message.Properties, message.Body, cancellation).ConfigureAwait(false);
    }

    private string ExchangeOf(LinkMessage message) => end.Queue is not null ? "" : end.Exchange ?? message.Exchange;

    private string KeyOf(LinkMessage message) => end.Queue ?? end.Key ?? message.RoutingKey;

    /// <summary>What can be taken for sure of what the broker tells.</summary>
    private async Task<SentBatch?> JudgeAsync(SentBatch? told, bool startedAnew, CancellationToken cancellation)
    {
        if (!startedAnew || _wasStoppedInOrder || _connection!.Says(AtomicTransactions)) return told;
        var isSure = told is null || (told.Run == _run && told.Sequence <= _sure);
        if (_pending is null && isSure) return told;
        // What it has is looked for where that is possible.
        var expected = _pending ?? told!;
        if (await InspectAsync(expected.Published, cancellation).ConfigureAwait(false) is { } found) return expected.Only(found.Contains);
        Uncertain += expected.Published.Count;
        return null;
    }

    /// <summary>
    /// Looks which messages the target's queue holds; null where that cannot be known: it is no queue, or somebody consumes from
    /// it, or it holds too many, or two of the messages that are looked for are alike.
    /// </summary>
    private async Task<HashSet<ulong>?> InspectAsync(IReadOnlyList<ulong> expected, CancellationToken cancellation)
    {
        if (end.Queue is not { } queue || expected.Distinct().Count() != expected.Count) return null;
        HashSet<ulong>? found = null;
        await _connection!.TryAsync(
            async channel =>
            {
                var state = await channel.QueueDeclarePassiveAsync(queue, cancellation).ConfigureAwait(false);
                if (state.ConsumerCount > 0 || state.MessageCount > MaxInspected) return;
                var seen = new HashSet<ulong>();
                // The number is not to be relied on: a quorum queue that has just been started does not count what it has yet to
                // find in its log, but hands it out.
                for (var n = 0; ; n++)
                {
                    // What is not acknowledged goes back to its place when the channel is closed.
                    if (await channel.BasicGetAsync(queue, autoAck: false, cancellation).ConfigureAwait(false) is not { } message) break;
                    if (n == MaxInspected) return;
                    seen.Add(PublishedFingerprint(new BasicProperties(message.BasicProperties), message.Body.Span));
                }
                found = seen;
            },
            cancellation).ConfigureAwait(false);
        return found;
    }

    /// <summary>What a message is known by at the target, where it has another address.</summary>
    private static ulong PublishedFingerprint(BasicProperties properties, ReadOnlySpan<byte> body) => LinkMessage.FingerprintOf("", "", properties, body);

    private async Task CloseAsync()
    {
        if (_channel is not null) await _channel.DisposeAsync().ConfigureAwait(false);
        _channel = null;
        if (_connection is null) return;
        _wasStoppedInOrder = _connection.EndedInOrder;
        await _connection.DisposeAsync().ConfigureAwait(false);
        _connection = null;
    }
}
