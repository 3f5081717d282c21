using Dragoman.Storage.Records;

namespace Dragoman.Broker.Channels;

/// <summary>
/// What one publisher publishes in a row, as a pipeline brings it in: messages to one channel gather, and those who listen
/// are called once for all of them. So a hundred listeners are woken once and not for each message. Whoever publishes
/// with a run ends it before anything else happens that a listener may tell the order of, and before it waits for
/// anything. Not safe for concurrent use.
/// </summary>
public sealed class ChannelRun : IDisposable
{
    // What is larger gains nothing by gathering.
    private const int MaxPayload = 4 << 10;
    private const int MaxBytes = 32 << 10;
    private const int MaxMessages = 512;

    private readonly PooledBuffer _payloads = new();
    private readonly int[] _ends = new int[MaxMessages];
    private int _count;
    private ListenerSet? _set;
    private ChannelSubscription[] _listeners = [];

    /// <summary>Whether a message may wait for others.</summary>
    internal static bool Takes(ReadOnlySpan<byte> payload) => payload.Length <= MaxPayload;

    /// <summary>Adds a message for those who listen just now.</summary>
    internal void Add(ListenerSet set, ChannelSubscription[] listeners, ReadOnlySpan<byte> payload)
    {
        if (!ReferenceEquals(listeners, _listeners) || _count == MaxMessages || _payloads.Length + payload.Length > MaxBytes) End();
        (_set, _listeners) = (set, listeners);
        _payloads.Write(payload);
        _ends[_count++] = _payloads.Length;
    }

    /// <summary>Lets those who listen hear what has gathered.</summary>
    public void End()
    {
        if (_count == 0) return;
        ChannelSpace.Hand(_listeners, _set!.Name, default, _payloads.WrittenSpan, _ends.AsSpan(0, _count));
        _payloads.Clear();
        _count = 0;
        _set = null;
        _listeners = [];
    }

    /// <summary>Gives its memory back. What has gathered and was not ended is not heard.</summary>
    public void Dispose()
    {
        _payloads.Dispose();
        _count = 0;
        _set = null;
        _listeners = [];
    }
}
