using System.Buffers.Binary;
using System.IO.Pipelines;
using Dragoman.Amqp.Wire;
using Dragoman.Broker.Statistics;
using Dragoman.Storage.Platform;

namespace Dragoman.Amqp.Sessions;

/// <summary>
/// The confirms of one channel. Publishes are numbered from 1 as they arrive; they are settled in any order and by any
/// thread, and confirmed in order, so that one frame can confirm all that a flush covers.
/// </summary>
internal sealed class ConfirmSource(Channel channel) : OutputSource, IPublishOutcome
{
    // A method frame with a delivery tag and a bit.
    private const int FrameSize = FrameHeader.Overhead + 4 + 8 + 1;

    private readonly Lock _lock = new();
    private readonly Queue<(ulong Tag, bool IsNack)> _prepared = new();
    private Mark[] _marks = new Mark[64];
    private ulong _first = 1;
    private ulong _next = 1;

    private enum Mark : byte
    {
        Open,
        Safe,
        Refused,
    }

    /// <summary>How many publishes are not confirmed yet.</summary>
    public int Outstanding
    {
        get
        {
            lock (_lock) return (int)(_next - _first);
        }
    }

    /// <summary>Numbers a publish.</summary>
    public ulong Begin()
    {
        lock (_lock)
        {
            if ((int)(_next - _first) == _marks.Length) Grow();
            _marks[_next & (ulong)(_marks.Length - 1)] = Mark.Open;
            return _next++;
        }
    }

    /// <summary>Says that some publishes are as safe as they asked to be, or that they were refused.</summary>
    public void Settle(ReadOnlySpan<ulong> tags, bool isRefused = false)
    {
        bool moves;
        lock (_lock)
        {
            foreach (var tag in tags) Settle(tag, isRefused);
            if (!isRefused) Count(tags.Length);
            moves = _marks[_first & (ulong)(_marks.Length - 1)] != Mark.Open && _first < _next;
        }
        if (moves) channel.Session.Output.Announce(this);
    }

    /// <summary>As <see cref="Settle(ReadOnlySpan{ulong}, bool)"/>, for publishes that follow each other.</summary>
    public void Settle(ulong first, int count, bool isRefused = false)
    {
        bool moves;
        lock (_lock)
        {
            for (var i = 0; i < count; i++) Settle(first + (ulong)i, isRefused);
            if (!isRefused) Count(count);
            moves = _marks[_first & (ulong)(_marks.Length - 1)] != Mark.Open && _first < _next;
        }
        if (moves) channel.Session.Output.Announce(this);
    }

    public override void Prepare()
    {
        lock (_lock)
        {
            var from = _first;
            while (_first < _next)
            {
                var mark = _marks[_first & (ulong)(_marks.Length - 1)];
                if (mark == Mark.Open) break;
                if (mark == Mark.Refused)
                {
                    if (from < _first) _prepared.Enqueue((_first - 1, false));
                    _prepared.Enqueue((_first, true));
                    from = _first + 1;
                }
                _first++;
            }
            if (from < _first) _prepared.Enqueue((_first - 1, false));
        }
    }

    public override bool Produce(PipeWriter writer, int budget, out int written)
    {
        written = 0;
        lock (_lock)
        {
            // After a close the client must not hear of the channel any more.
            if (!channel.IsOpen) _prepared.Clear();
            while (_prepared.TryDequeue(out var confirm))
            {
                Write(writer, confirm.Tag, confirm.IsNack);
                written += FrameSize;
            }
        }
        return false;
    }

    private void Count(int confirmed)
    {
        channel.Counters.AddAlone(MessageCounter.Confirm, confirmed);
        channel.Session.Counters.Add(MessageCounter.Confirm, confirmed);
    }

    private void Settle(ulong tag, bool isRefused)
    {
        Invariant.Check(tag >= _first && tag < _next, "only publishes that are open are settled");
        ref var mark = ref _marks[tag & (ulong)(_marks.Length - 1)];
        Invariant.Check(mark == Mark.Open, "a publish is settled once");
        mark = isRefused ? Mark.Refused : Mark.Safe;
    }

    private void Grow()
    {
        var larger = new Mark[_marks.Length * 2];
        for (var tag = _first; tag < _next; tag++) larger[tag & (ulong)(larger.Length - 1)] = _marks[tag & (ulong)(_marks.Length - 1)];
        _marks = larger;
    }

    private void Write(PipeWriter writer, ulong tag, bool isNack)
    {
        var span = writer.GetSpan(FrameSize);
        new FrameHeader(FrameType.Method, channel.Number, FrameSize - FrameHeader.Overhead).Write(span);
        var payload = span[FrameHeader.Size..];
        BinaryPrimitives.WriteUInt16BigEndian(payload, 60);
        BinaryPrimitives.WriteUInt16BigEndian(payload[2..], (ushort)(isNack ? 120 : 80));
        BinaryPrimitives.WriteUInt64BigEndian(payload[4..], tag);
        // An acknowledgement covers all before it; a refusal is of one.
        payload[12] = isNack ? (byte)0 : (byte)1;
        payload[13] = FrameHeader.EndMark;
        writer.Advance(FrameSize);
    }
}
