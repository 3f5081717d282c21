using System.Buffers;
using Dragoman.Broker.Messages;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Records;
using Microsoft.Extensions.Logging;

namespace Dragoman.Amqp.Sessions;

/// <summary>
/// Gathers what one read brings in: the messages that go to the same targets become one batch, and all batches are handed
/// over when the read is done. What is under way is bounded; beyond that the connection is not read.
/// </summary>
internal sealed class PublishBatcher(AmqpSession session)
{
    private const long MaxUnderWay = 16 << 20;
    private const int PooledGroups = 16;

    private readonly List<PublishGroup> _groups = [];
    private readonly Stack<PublishGroup> _pool = new();
    private readonly Lock _lock = new();
    private long _underWay;
    private int _groupsUnderWay;
    private TaskCompletionSource? _room;
    private TaskCompletionSource? _none;

    /// <summary>Adds a message.</summary>
    /// <param name="destination">Where it goes.</param>
    /// <param name="mode">How safe it has to be, or null for what the queue says.</param>
    /// <param name="properties">What queues act upon.</param>
    /// <param name="body">The body; copied.</param>
    /// <param name="headers">The record headers; copied.</param>
    /// <param name="routingKey">The routing key.</param>
    /// <param name="confirms">Who hears what became of it, if somebody does.</param>
    /// <param name="tag">The publish's number there.</param>
    public void Add(Destination destination, CommitMode? mode, in MessageProperties properties, in ReadOnlySequence<byte> body, RecordHeaders headers, ReadOnlySpan<byte> routingKey, IPublishOutcome? confirms, ulong tag)
    {
        var group = GroupFor(destination, mode, body.Length);
        group.Add(properties, body, headers, routingKey, confirms, tag);
    }

    /// <summary>Hands over what was gathered.</summary>
    public void Flush()
    {
        if (_groups.Count == 0) return;
        foreach (var group in _groups) Publish(group);
        _groups.Clear();
    }

    /// <summary>Completes when what is under way is not too much.</summary>
    public ValueTask WaitForRoomAsync()
    {
        lock (_lock)
        {
            if (_underWay <= MaxUnderWay) return ValueTask.CompletedTask;
            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return new ValueTask(_room.Task);
        }
    }

    /// <summary>Hands over what was gathered, and completes when nothing is under way.</summary>
    public ValueTask WaitForAllAsync()
    {
        Flush();
        lock (_lock)
        {
            if (_groupsUnderWay == 0) return ValueTask.CompletedTask;
            _none ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return new ValueTask(_none.Task);
        }
    }

    private PublishGroup GroupFor(Destination destination, CommitMode? mode, long bytes)
    {
        for (var i = _groups.Count - 1; i >= 0; i--)
        {
            var group = _groups[i];
            if (group.Mode != mode || !(ReferenceEquals(group.Destination, destination) || group.Destination.IsSame(destination))) continue;
            if (group.HasRoomFor(bytes)) return group;
            // It is full: it goes ahead, and the next one takes its place.
            _groups.RemoveAt(i);
            Publish(group);
            break;
        }
        PublishGroup? added;
        lock (_lock)
        {
            if (!_pool.TryPop(out added)) added = new PublishGroup();
        }
        added.Begin(destination, mode);
        _groups.Add(added);
        return added;
    }

    private void Publish(PublishGroup group)
    {
        var bytes = group.Bytes;
        lock (_lock)
        {
            _underWay += bytes;
            _groupsUnderWay++;
        }
        // It has taken its place among the publishes of the broker when this returns; how it ends is heard later.
        _ = PublishAsync(group, bytes);
    }

    private async Task PublishAsync(PublishGroup group, long bytes)
    {
        try
        {
            if (await group.PublishAsync(session.FrontEnd.Broker).ConfigureAwait(false) is { } problem)
            {
                // If it is the disk, those who would publish more are paused until there is room.
                session.FrontEnd.Alarms.Look();
                session.FrontEnd.Log.LogWarning("AMQP connection {Connection}: messages were refused: {Reason}", session.Name, problem);
            }
        }
#pragma warning disable CA1031 // Nobody awaits it: the connection ends, and says why.
        catch (Exception error)
#pragma warning restore CA1031
        {
            session.FrontEnd.Log.LogError(error, "AMQP connection {Connection}: publishing failed.", session.Name);
            session.GiveUp("publishing failed");
        }
        TaskCompletionSource? room = null;
        TaskCompletionSource? none = null;
        lock (_lock)
        {
            _underWay -= bytes;
            _groupsUnderWay--;
            if (_pool.Count < PooledGroups) _pool.Push(group);
            if (_underWay <= MaxUnderWay / 2) (room, _room) = (_room, null);
            if (_groupsUnderWay == 0) (none, _none) = (_none, null);
        }
        room?.SetResult();
        none?.SetResult();
    }
}
