using System.Buffers;

namespace Dragoman.Kafka.Wire;

/// <summary>Record bytes that are produced while a response is written, so that nobody holds a copy of them.</summary>
public interface IRecordsSource
{
    /// <summary>How many bytes <see cref="WriteTo"/> writes. Must not change between the two.</summary>
    int Length { get; }

    /// <summary>Writes exactly <see cref="Length"/> bytes.</summary>
    void WriteTo(ref KafkaWriter writer);
}

/// <summary>
/// Takes record sources instead of their bytes while a response is encoded, so that whoever sends it can write the
/// bytes step by step, at the pace of the connection.
/// </summary>
public interface IRecordsSink
{
    /// <summary>Notes that the source's bytes follow all that was given to the output so far.</summary>
    void Defer(IRecordsSource source);
}

/// <summary>
/// The value of a <c>records</c> field: null, a view on bytes, or a source that writes them. Decoding makes a view on
/// the frame, which is valid for as long as the frame's buffer is. The default value is null.
/// </summary>
public readonly struct Records
{
    private readonly ReadOnlySequence<byte> _bytes;
    private readonly IRecordsSource? _source;
    private readonly bool _hasValue;

    /// <summary>A view on bytes that stay where they are.</summary>
    public Records(ReadOnlySequence<byte> bytes)
    {
        _bytes = bytes;
        _hasValue = true;
    }

    /// <summary>Bytes that the source writes when the message is encoded.</summary>
    public Records(IRecordsSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        _source = source;
        _hasValue = true;
    }

    /// <summary>Whether the field is null on the wire, which is not the same as empty.</summary>
    public bool IsNull => !_hasValue;

    /// <summary>Length in bytes; 0 when null.</summary>
    /// <exception cref="KafkaWireException">The view is longer than a Kafka message can be.</exception>
    public int Length
    {
        get
        {
            if (_source is not null)
                return _source.Length;
            if (_bytes.Length > int.MaxValue)
                throw new KafkaWireException(KafkaWireError.Malformed, "Records are longer than 2 GiB.");
            return (int)_bytes.Length;
        }
    }

    /// <summary>The bytes that a decoded field views; empty when null.</summary>
    /// <exception cref="InvalidOperationException">The bytes come from a source, which can only be written.</exception>
    public ReadOnlySequence<byte> Bytes => _source is null
        ? _bytes
        : throw new InvalidOperationException("These records come from a source and can only be written.");

    /// <summary>The source that writes the bytes, or null where they are a view.</summary>
    internal IRecordsSource? Source => _source;

    /// <summary>Writes the bytes, without a length.</summary>
    internal void WriteTo(ref KafkaWriter writer)
    {
        if (_source is not null)
            _source.WriteTo(ref writer);
        else
            writer.WriteRaw(_bytes);
    }
}
