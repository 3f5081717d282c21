using System.Diagnostics.CodeAnalysis;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Channels;

/// <summary>A message of a channel. It is valid while it is being written.</summary>
public readonly ref struct ChannelMessage
{
    internal ChannelMessage(ReadOnlySpan<byte> channel, ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> payload)
    {
        Channel = channel;
        Pattern = pattern;
        Payload = payload;
    }

    /// <summary>The channel that it was published to.</summary>
    public ReadOnlySpan<byte> Channel { get; }

    /// <summary>The pattern that the channel matches; empty where it is heard by the channel's name.</summary>
    public ReadOnlySpan<byte> Pattern { get; }

    /// <summary>What was published.</summary>
    public ReadOnlySpan<byte> Payload { get; }
}

/// <summary>Messages of one channel on their way to its listeners, one at least, in the order in which they were published. They are valid while the listeners are called.</summary>
public readonly ref struct ChannelMessages
{
    private readonly ReadOnlySpan<byte> _channel;
    private readonly ReadOnlySpan<byte> _pattern;
    private readonly ReadOnlySpan<byte> _payloads;
    private readonly ReadOnlySpan<int> _ends;
    private readonly MessageForms _forms;

    internal ChannelMessages(ReadOnlySpan<byte> channel, ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> payloads, ReadOnlySpan<int> ends, MessageForms forms)
    {
        _channel = channel;
        _pattern = pattern;
        _payloads = payloads;
        _ends = ends;
        _forms = forms;
    }

    /// <summary>How many.</summary>
    public int Count => _ends.Length;

    /// <summary>One of them.</summary>
    public ChannelMessage this[int index] => new(_channel, _pattern, _payloads[(index == 0 ? 0 : _ends[index - 1]).._ends[index]]);

    /// <summary>All of them as a protocol puts them, one behind the other: encoded once, however many listeners want them so.</summary>
    public ReadOnlySpan<byte> As(MessageForm form)
    {
        ArgumentNullException.ThrowIfNull(form);
        return _forms.Get(form, this);
    }
}

/// <summary>A way in which a protocol writes messages of channels. Make one of each kind, once.</summary>
public abstract class MessageForm
{
    private static int _count;

    /// <summary>Creates a form.</summary>
    protected MessageForm() => Index = Interlocked.Increment(ref _count) - 1;

    internal int Index { get; }

    /// <summary>Writes a message.</summary>
    public abstract void Encode(scoped in ChannelMessage message, PooledBuffer target);
}

/// <summary>The forms in which messages were wanted so far.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Kept by its thread for as long as that runs.")]
internal sealed class MessageForms
{
    // What a large message has needed goes back.
    private const int KeepBytes = 256 << 10;

    [ThreadStatic]
    private static MessageForms? _spare;

    private readonly PooledBuffer _buffer = new();
    private (int Start, int Length)[] _encoded = [];

    /// <summary>Takes one for some messages.</summary>
    public static MessageForms Take()
    {
        var taken = _spare ?? new MessageForms();
        _spare = null;
        return taken;
    }

    /// <summary>Gives it back.</summary>
    public void Return()
    {
        Clear();
        if (_buffer.Capacity > KeepBytes) _buffer.Dispose();
        _spare = this;
    }

    /// <summary>Forgets the messages.</summary>
    public void Clear()
    {
        _buffer.Clear();
        Array.Clear(_encoded);
    }

    public ReadOnlySpan<byte> Get(MessageForm form, scoped in ChannelMessages messages)
    {
        if (form.Index >= _encoded.Length) Array.Resize(ref _encoded, form.Index + 1);
        ref var encoded = ref _encoded[form.Index];
        if (encoded.Length == 0)
        {
            var start = _buffer.Length;
            for (var i = 0; i < messages.Count; i++) form.Encode(messages[i], _buffer);
            encoded = (start, _buffer.Length - start);
        }
        return _buffer.WrittenSpan.Slice(encoded.Start, encoded.Length);
    }
}
