using System.Text;

namespace Dragoman.Storage.Records;

/// <summary>A record's headers as they stand on the wire, in order; a key may occur more than once.</summary>
/// <remarks>
/// Each header is a varint key length, the key (UTF-8, not checked), a varint value length (-1: null) and the value.
/// Instances come only from <see cref="RecordReader"/> and <see cref="RecordHeadersWriter"/>, which vouch for the
/// encoding; so reading one cannot fail.
/// </remarks>
public readonly ref struct RecordHeaders
{
    internal RecordHeaders(int count, ReadOnlySpan<byte> encoded)
    {
        Count = count;
        Encoded = encoded;
    }

    /// <summary>How many headers there are.</summary>
    public int Count { get; }

    /// <summary>The headers, encoded one after the other, without their count.</summary>
    public ReadOnlySpan<byte> Encoded { get; }

    /// <summary>Reads the headers in order.</summary>
    public Enumerator GetEnumerator() => new(this);

    /// <summary>Finds the last header of a key, which is the one that counts where a header has one value.</summary>
    public bool TryGetLast(ReadOnlySpan<byte> key, out NullableBytes value)
    {
        bool found = false;
        value = default;
        foreach (RecordHeader header in this)
        {
            if (header.Key.SequenceEqual(key))
            {
                found = true;
                value = header.Value;
            }
        }

        return found;
    }

    /// <summary>Walks over headers.</summary>
    public ref struct Enumerator
    {
        private readonly ReadOnlySpan<byte> _encoded;
        private int _left;
        private int _position;

        internal Enumerator(RecordHeaders headers)
        {
            _encoded = headers.Encoded;
            _left = headers.Count;
        }

        /// <summary>The header that the last successful <see cref="MoveNext"/> read.</summary>
        public RecordHeader Current { get; private set; }

        /// <summary>Reads the next header; false after the last.</summary>
        public bool MoveNext()
        {
            if (_left == 0)
            {
                return false;
            }

            _left--;
            Varint.TryRead(_encoded, ref _position, out int keyLength);
            ReadOnlySpan<byte> key = _encoded.Slice(_position, keyLength);
            _position += keyLength;
            Varint.TryRead(_encoded, ref _position, out int valueLength);
            NullableBytes value = default;
            if (valueLength >= 0)
            {
                value = _encoded.Slice(_position, valueLength);
                _position += valueLength;
            }

            Current = new RecordHeader(key, value);
            return true;
        }
    }
}

/// <summary>One header of a record.</summary>
public readonly ref struct RecordHeader
{
    internal RecordHeader(ReadOnlySpan<byte> key, NullableBytes value)
    {
        Key = key;
        Value = value;
    }

    /// <summary>The key, which should be UTF-8.</summary>
    public ReadOnlySpan<byte> Key { get; }

    /// <summary>The value; null and empty differ.</summary>
    public NullableBytes Value { get; }

    /// <summary>The key as text; bytes that are no UTF-8 become replacement characters.</summary>
    public string KeyText => Encoding.UTF8.GetString(Key);
}

/// <summary>Encodes the headers of one record at a time into pooled memory; reuse it with <see cref="Clear"/>.</summary>
public sealed class RecordHeadersWriter : IDisposable
{
    private readonly PooledBuffer _buffer = new();
    private int _count;

    /// <summary>The headers so far; valid until the next change.</summary>
    public RecordHeaders Headers => new(_count, _buffer.WrittenSpan);

    /// <summary>Adds a header.</summary>
    public void Add(ReadOnlySpan<byte> key, NullableBytes value)
    {
        Span<byte> lengths = _buffer.GetSpan(Varint.MaxInt32Size);
        _buffer.Advance(Varint.Write(lengths, key.Length));
        _buffer.Write(key);
        AddValue(value);
    }

    /// <summary>Adds a header; the key becomes UTF-8.</summary>
    public void Add(ReadOnlySpan<char> key, NullableBytes value)
    {
        int length = Encoding.UTF8.GetByteCount(key);
        Span<byte> destination = _buffer.GetSpan(Varint.MaxInt32Size + length);
        int prefix = Varint.Write(destination, length);
        Encoding.UTF8.GetBytes(key, destination[prefix..]);
        _buffer.Advance(prefix + length);
        AddValue(value);
    }

    /// <summary>Adds headers that are encoded already, such as another record's.</summary>
    public void Add(RecordHeaders headers)
    {
        _buffer.Write(headers.Encoded);
        _count += headers.Count;
    }

    /// <summary>Starts anew.</summary>
    public void Clear()
    {
        _buffer.Clear();
        _count = 0;
    }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        Clear();
        _buffer.Dispose();
    }

    private void AddValue(NullableBytes value)
    {
        _buffer.Advance(Varint.Write(_buffer.GetSpan(Varint.MaxInt32Size), value.IsNull ? -1 : value.Length));
        _buffer.Write(value.Span);
        _count++;
    }
}
