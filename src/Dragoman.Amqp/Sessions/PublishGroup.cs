using System.Buffers;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Amqp.Sessions;

/// <summary>Messages of one read that go to the same targets, and who is to be told that they are safe.</summary>
internal sealed class PublishGroup
{
    private readonly List<Confirmation> _confirmations = [];
    private MessageBatch? _batch;
    private LogAppends? _appends;

    /// <summary>Publishes in a row of one channel.</summary>
    private record struct Confirmation(IPublishOutcome Source, ulong FirstTag, int FirstIndex, int Count);

    /// <summary>Where the messages go.</summary>
    public Destination Destination { get; private set; } = null!;

    /// <summary>How safe they have to be, or null for what the queues say.</summary>
    public CommitMode? Mode { get; private set; }

    /// <summary>Messages in it.</summary>
    public int Count { get; private set; }

    /// <summary>Bytes of them as they are stored.</summary>
    public long Bytes => (_batch?.Bytes ?? 0) + (_appends?.Bytes ?? 0);

    /// <summary>Makes it an empty group.</summary>
    public void Begin(Destination destination, CommitMode? mode)
    {
        Invariant.Check(_batch is null && _confirmations.Count == 0, "a group is used once at a time");
        Destination = destination;
        Mode = mode;
        Count = 0;
        if (destination.Queues.Length > 0 || destination.Routes.Length > 0) _batch = MessageBatch.Rent();
        if (destination.Logs.Length > 0) _appends = new LogAppends(destination.Logs);
    }

    /// <summary>Whether another message fits; one always does.</summary>
    public bool HasRoomFor(long bytes) => Count == 0 || ((_batch?.Bytes ?? 0) + bytes <= MessageBatch.MaxBytes && (_appends?.HasRoomFor(bytes) ?? true));

    /// <summary>Adds a message.</summary>
    public void Add(in MessageProperties properties, in ReadOnlySequence<byte> body, RecordHeaders headers, ReadOnlySpan<byte> routingKey, IPublishOutcome? confirms, ulong tag)
    {
        _batch?.Add(properties, default, body, headers);
        _appends?.Add(properties, routingKey, body, headers);
        if (confirms is not null) Confirm(confirms, tag);
        Count++;
    }

    /// <summary>Publishes the messages, and tells those who wait.</summary>
    /// <returns>What is wrong, if something is.</returns>
    public async ValueTask<string?> PublishAsync(Broker.Broker broker)
    {
        var (batch, appends) = (_batch, _appends);
        _batch = null;
        _appends = null;
        // Both are under way before either is awaited.
        var toLogs = appends?.AppendAsync();
        var outcome = batch is null ? new PublishOutcome(QueueStatus.Ok, Count, -1)
            : Destination is { Queues.Length: 1, Routes.Length: 0 } ? await Destination.Queues[0].PublishAsync(batch, Mode).ConfigureAwait(false)
            : await broker.Queues.PublishAsync(batch, Destination.Queues, Destination.Routes, Mode).ConfigureAwait(false);
        var problem = toLogs is null ? null : await toLogs.ConfigureAwait(false);
        // A queue that is gone is a queue that the message was not routed to.
        var accepted = problem is not null ? 0 : outcome.Status is QueueStatus.Ok or QueueStatus.NotFound ? Count : outcome.Accepted;
        Settle(accepted);
        return problem ?? (outcome.Status is QueueStatus.Ok or QueueStatus.NotFound or QueueStatus.QueueFull ? null : outcome.Message ?? outcome.Status.ToString());
    }

    private void Confirm(IPublishOutcome source, ulong tag)
    {
        if (_confirmations.Count > 0 && _confirmations[^1] is var last && last.Source == source
            && last.FirstTag + (ulong)last.Count == tag && last.FirstIndex + last.Count == Count)
        {
            _confirmations[^1] = last with { Count = last.Count + 1 };
            return;
        }
        _confirmations.Add(new Confirmation(source, tag, Count, 1));
    }

    private void Settle(int accepted)
    {
        foreach (var (source, firstTag, firstIndex, count) in _confirmations)
        {
            var good = Math.Clamp(accepted - firstIndex, 0, count);
            if (good > 0) source.Settle(firstTag, good);
            if (good < count) source.Settle(firstTag + (ulong)good, count - good, isRefused: true);
        }
        _confirmations.Clear();
    }
}
