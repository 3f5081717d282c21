using System.Text;

namespace Dragoman.Redis.Wire;

/// <summary>A command as a client sent it: its name and its arguments, which are bytes. Valid until the next one is read.</summary>
internal sealed class Request
{
    private ReadOnlyMemory<byte> _bytes;
    private (int Start, int Length)[] _arguments = new (int, int)[8];

    /// <summary>How many arguments there are, the name included.</summary>
    public int Count { get; private set; }

    /// <summary>An argument; the command's name is the first.</summary>
    public ReadOnlySpan<byte> this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Count);
            var (start, length) = _arguments[index];
            return _bytes.Span.Slice(start, length);
        }
    }

    /// <summary>Bytes of all arguments.</summary>
    public long Bytes
    {
        get
        {
            long sum = 0;
            for (var i = 0; i < Count; i++) sum += _arguments[i].Length;
            return sum;
        }
    }

    /// <summary>An argument as text; bytes that are no UTF-8 become replacement characters.</summary>
    public string Text(int index) => Encoding.UTF8.GetString(this[index]);

    /// <summary>Whether an argument is a word, in upper case or not.</summary>
    /// <param name="index">Which argument.</param>
    /// <param name="word">The word, in upper case.</param>
    public bool Is(int index, ReadOnlySpan<byte> word) => Ascii.EqualsIgnoreCase(this[index], word);

    /// <summary>Forgets everything.</summary>
    public void Clear()
    {
        Count = 0;
        _bytes = default;
        if (_arguments.Length > 1024) _arguments = new (int, int)[8];
    }

    /// <summary>Adds an argument by its place.</summary>
    public void Add(int start, int length)
    {
        if (Count == _arguments.Length) Array.Resize(ref _arguments, 2 * Count);
        _arguments[Count++] = (start, length);
    }

    /// <summary>Says where the arguments lie.</summary>
    public void Place(ReadOnlyMemory<byte> bytes) => _bytes = bytes;

    /// <summary>A copy that lasts.</summary>
    public Request Copy()
    {
        var copy = new Request { _arguments = new (int, int)[Math.Max(Count, 1)] };
        var bytes = new byte[Bytes];
        var at = 0;
        for (var i = 0; i < Count; i++)
        {
            this[i].CopyTo(bytes.AsSpan(at));
            copy.Add(at, this[i].Length);
            at += this[i].Length;
        }
        copy._bytes = bytes;
        return copy;
    }
}
