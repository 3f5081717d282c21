using System.IO.Pipelines;

namespace Dragoman.Protocols.Framing;

/// <summary>
/// A message that has arrived in part, holds bytes of the budget, and waits for its sender. Each connection has one
/// object for all its messages.
/// </summary>
internal sealed class Arrival
{
    private readonly PipeReader _input;
    private readonly TimeProvider _time;
    private Frame? _frame;
    private long _start;
    private int _lengthAtStart;
    private volatile bool _isEnded;

    public Arrival(PipeReader input, TimeProvider time)
    {
        _input = input;
        _time = time;
        Node = new LinkedListNode<Arrival>(this);
    }

    public LinkedListNode<Arrival> Node { get; }

    /// <summary>Bytes of the budget that it holds.</summary>
    public int Charged => _frame?.Charged ?? 0;

    /// <summary>For how long the message has been arriving, since it last had to wait for memory.</summary>
    public TimeSpan Age => _time.GetElapsedTime(_start);

    /// <summary>Bytes a second at which it has arrived in that time.</summary>
    public double Rate => ((_frame?.Length ?? 0) - _lengthAtStart) / Math.Max(Age.TotalSeconds, 0.001);

    /// <summary>Begins with a message, or anew with it.</summary>
    public void Begin(Frame frame)
    {
        _frame = frame;
        _lengthAtStart = frame.Length;
        _start = _time.GetTimestamp();
    }

    /// <summary>Whether the message was given up so that others get their turn; asked once.</summary>
    public bool TakeEnd()
    {
        if (!_isEnded) return false;
        _isEnded = false;
        return true;
    }

    /// <summary>Gives the message up: its reader finds out at once.</summary>
    public void End()
    {
        _isEnded = true;
        _input.CancelPendingRead();
    }
}
