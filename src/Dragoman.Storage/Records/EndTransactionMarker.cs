using System.Buffers.Binary;

namespace Dragoman.Storage.Records;

/// <summary>What a control record says.</summary>
public enum ControlRecordType : short
{
    /// <summary>The transaction's records are void.</summary>
    Abort = 0,

    /// <summary>The transaction's records count.</summary>
    Commit = 1,

    /// <summary>A leader was elected; Kafka's own metadata log only.</summary>
    LeaderChange = 2,

    /// <summary>Head of a snapshot; Kafka's own metadata log only.</summary>
    SnapshotHeader = 3,

    /// <summary>End of a snapshot; Kafka's own metadata log only.</summary>
    SnapshotFooter = 4,
}

/// <summary>
/// The record that ends a transaction in a partition. Its key is int16 version and int16 type, its value int16 version and
/// int32 coordinator epoch, big-endian (Kafka's message format documentation, "Control Batches"; EndTxnMarker.json).
/// </summary>
/// <param name="Type"><see cref="ControlRecordType.Commit"/> or <see cref="ControlRecordType.Abort"/>.</param>
/// <param name="CoordinatorEpoch">Epoch of the transaction coordinator, so that a deposed one can be told.</param>
/// <param name="Version">Version of the value; 0 is written, and later ones only add to it.</param>
public readonly record struct EndTransactionMarker(ControlRecordType Type, int CoordinatorEpoch, short Version = 0)
{
    private const int KeySize = 4;
    private const int ValueSize = 6;

    /// <summary>
    /// Builds the batch of a marker: one transactional control record of the producer whose transaction ends. The builder
    /// is reset first, and owns the result.
    /// </summary>
    /// <param name="builder">Builds the batch.</param>
    /// <param name="producerId">Id of the transactional producer.</param>
    /// <param name="producerEpoch">Its epoch.</param>
    /// <param name="timestamp">When the transaction ended, in milliseconds since 1970.</param>
    /// <exception cref="InvalidOperationException">The type is no end of a transaction.</exception>
    public Memory<byte> Build(RecordBatchBuilder builder, long producerId, short producerEpoch, long timestamp)
    {
        ArgumentNullException.ThrowIfNull(builder);
        if (Type is not (ControlRecordType.Abort or ControlRecordType.Commit))
        {
            throw new InvalidOperationException($"A control record of type {Type} does not end a transaction.");
        }

        Span<byte> key = stackalloc byte[KeySize];
        BinaryPrimitives.WriteInt16BigEndian(key, 0);
        BinaryPrimitives.WriteInt16BigEndian(key[2..], (short)Type);
        Span<byte> value = stackalloc byte[ValueSize];
        BinaryPrimitives.WriteInt16BigEndian(value, Version);
        BinaryPrimitives.WriteInt32BigEndian(value[2..], CoordinatorEpoch);
        builder.Reset();
        builder.Add(timestamp, key, value);
        return builder.Build(new BatchOptions
        {
            IsControl = true,
            IsTransactional = true,
            Producer = new BatchProducer(producerId, producerEpoch, RecordBatchHeader.NoSequence),
        });
    }

    /// <summary>
    /// Reads the type of a control record from its key. False if the key is none. A type that the enumeration does not name
    /// is a later one, to be skipped.
    /// </summary>
    public static bool TryReadType(in RecordView record, out ControlRecordType type)
    {
        type = default;
        if (record.Key.Length < KeySize || BinaryPrimitives.ReadInt16BigEndian(record.Key.Span) < 0)
        {
            return false;
        }

        type = (ControlRecordType)BinaryPrimitives.ReadInt16BigEndian(record.Key.Span[2..]);
        return true;
    }

    /// <summary>Reads a marker from a control record. False if the record is not the end of a transaction.</summary>
    public static bool TryRead(in RecordView record, out EndTransactionMarker marker)
    {
        marker = default;
        if (!TryReadType(record, out ControlRecordType type)
            || type is not (ControlRecordType.Abort or ControlRecordType.Commit)
            || record.Value.Length < ValueSize)
        {
            return false;
        }

        short version = BinaryPrimitives.ReadInt16BigEndian(record.Value.Span);
        if (version < 0)
        {
            return false;
        }

        marker = new EndTransactionMarker(type, BinaryPrimitives.ReadInt32BigEndian(record.Value.Span[2..]), version);
        return true;
    }
}
