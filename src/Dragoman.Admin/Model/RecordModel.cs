namespace Dragoman.Admin.Model;

/// <summary>
/// A record. Bytes that are UTF-8 are text; others are in the field whose name ends in Base64. Where neither is there,
/// the key or value is null, which is not the same as empty.
/// </summary>
public sealed record RecordModel
{
    /// <summary>The partition. In a request, the key chooses it if missing.</summary>
    public int? Partition { get; init; }

    /// <summary>The offset. Not in requests.</summary>
    public long? Offset { get; init; }

    /// <summary>Milliseconds since 1970. In a request, now if missing.</summary>
    public long? Timestamp { get; init; }

    /// <summary>The key as text.</summary>
    public string? Key { get; init; }

    /// <summary>The key as bytes.</summary>
    public byte[]? KeyBase64 { get; init; }

    /// <summary>The value as text.</summary>
    public string? Value { get; init; }

    /// <summary>The value as bytes.</summary>
    public byte[]? ValueBase64 { get; init; }

    /// <summary>The headers, in order.</summary>
    public IReadOnlyList<HeaderModel>? Headers { get; init; }
}

/// <summary>A header of a record; names may repeat.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">Its value as text.</param>
/// <param name="ValueBase64">Its value as bytes.</param>
public sealed record HeaderModel(string Name, string? Value = null, byte[]? ValueBase64 = null);

/// <summary>Records to be appended.</summary>
/// <param name="Records">The records.</param>
public sealed record ProduceRequest(IReadOnlyList<RecordModel> Records);

/// <summary>What was appended, and is as durable as the topic asks.</summary>
/// <param name="Records">How many records.</param>
/// <param name="Partitions">Where they are.</param>
public sealed record ProduceResult(long Records, IReadOnlyList<ProducedPartition> Partitions);

/// <summary>What was appended to a partition. Others may have appended in between.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="Records">How many records.</param>
/// <param name="FirstOffset">Offset of the first.</param>
/// <param name="LastOffset">Offset of the last.</param>
public sealed record ProducedPartition(int Partition, long Records, long FirstOffset, long LastOffset);
