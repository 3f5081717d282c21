using System.Buffers;
using Dragoman.Amqp.Wire.Methods;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Records;

namespace Dragoman.Amqp.Sessions;

/// <summary>
/// What a transactional channel has asked for since the last commit: publishes that are not routed to their queues yet,
/// those that come back, and settlements that are not handed over.
/// </summary>
internal sealed class Transaction(Channel channel) : IPublishOutcome, IDisposable
{
    private readonly List<(Settlement Settlement, UnackedTable.Entry Entry)> _settlements = [];
    private readonly List<PendingPublish> _publishes = [];
    private readonly List<(BasicReturn Method, byte[] Properties, byte[] Body)> _returns = [];
    private volatile bool _anyRefused;

    private sealed record PendingPublish(Destination Destination, CommitMode? Mode, MessageProperties Properties, byte[] Body, RecordHeadersWriter Headers, byte[] RoutingKey);

    /// <summary>Publishes that wait; roughly, for others than the loop that reads.</summary>
    public int Publishes => _publishes.Count;

    /// <summary>Settlements that wait; likewise.</summary>
    public int Settlements => _settlements.Count;

    /// <summary>Publishes a message at the commit.</summary>
    public void Publish(Destination destination, CommitMode? mode, in MessageProperties properties, in ReadOnlySequence<byte> body, RecordHeaders headers, ReadOnlySpan<byte> routingKey)
    {
        var copy = new RecordHeadersWriter();
        copy.Add(headers);
        _publishes.Add(new PendingPublish(destination, mode, properties, body.ToArray(), copy, routingKey.ToArray()));
    }

    /// <summary>Gives a message that reaches no queue back at the commit.</summary>
    public void Return(in BasicReturn method, ReadOnlySpan<byte> properties, in ReadOnlySequence<byte> body) => _returns.Add((method, properties.ToArray(), body.ToArray()));

    /// <summary>Settles a delivery at the commit.</summary>
    public void Settle(Settlement settlement, in UnackedTable.Entry entry) => _settlements.Add((settlement, entry));

    /// <summary>Does all of it; completes when it is as safe as it was asked to be.</summary>
    /// <exception cref="ChannelException">Not all publishes were taken; what was, stays.</exception>
    public async ValueTask CommitAsync()
    {
        var session = channel.Session;
        _anyRefused = false;
        foreach (var publish in _publishes) publish.Destination.Tell(new ReadOnlySequence<byte>(publish.Body));
        using var set = Gather(session.FrontEnd.Broker);
        if (set is null)
        {
            foreach (var publish in _publishes)
                if (!publish.Destination.IsEmpty) session.Publishes.Add(publish.Destination, publish.Mode, publish.Properties, new ReadOnlySequence<byte>(publish.Body), publish.Headers.Headers, publish.RoutingKey, this, 0);
        }
        foreach (var (settlement, entry) in _settlements) entry.Holder!.Settle(settlement, entry.Offset);
        foreach (var (method, properties, body) in _returns) session.Output.Send(channel.Number, method, properties, new ReadOnlySequence<byte>(body), session.FrameMax);
        Clear();
        session.Flush();
        await session.Publishes.WaitForAllAsync().ConfigureAwait(false);
        if (set is not null)
        {
            var answer = await session.FrontEnd.Broker.Queues.PublishAsync(set).ConfigureAwait(false);
            if (answer.Status != QueueStatus.Ok) session.FrontEnd.Alarms.Look();
            _anyRefused |= answer.Status != QueueStatus.Ok || answer.Refused is not null;
        }
        if (_anyRefused) throw Errors.Precondition("partial tx completion");
    }

    /// <summary>
    /// All publishes as one commit, where they go to more than one place: then no crash leaves some of them there. Null where
    /// they are one batch anyway, or more than a commit takes.
    /// </summary>
    private PublishSet? Gather(Broker.Broker broker)
    {
        if (_publishes.Count < 2 || _publishes.TrueForAll(p => p.Destination.IsSame(_publishes[0].Destination))) return null;
        var set = new PublishSet();
        foreach (var publish in _publishes)
        {
            if (publish.Destination.IsEmpty) continue;
            set.Add(publish.Properties, publish.RoutingKey, publish.Body, publish.Headers.Headers, publish.Destination.Queues, publish.Destination.Logs, publish.Destination.Routes);
            if (set.Cost <= broker.Queues.MaxSetCost) continue;
            set.Dispose();
            return null;
        }
        return set;
    }

    void IPublishOutcome.Settle(ulong first, int count, bool isRefused) => _anyRefused |= isRefused;

    /// <summary>Forgets all of it. What was to be settled is open again, under the tags it has.</summary>
    public void Rollback()
    {
        lock (channel.DeliveryLock)
        {
            foreach (var (_, entry) in _settlements) channel.Unacked.PutBack(entry);
        }
        Clear();
    }

    /// <inheritdoc/>
    public void Dispose() => Clear();

    private void Clear()
    {
        foreach (var publish in _publishes) publish.Headers.Dispose();
        _publishes.Clear();
        _returns.Clear();
        _settlements.Clear();
    }
}
