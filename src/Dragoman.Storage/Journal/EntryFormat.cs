using System.Buffers.Binary;

namespace Dragoman.Storage.Journal;

/// <summary>What an entry of a commit does.</summary>
internal enum EntryKind : byte
{
    /// <summary>A record batch joins a log; the offset is the batch's base offset.</summary>
    Append = 1,

    /// <summary>As <see cref="Append"/>, but the batch is the body of an earlier entry of the same commit (its index is the payload).</summary>
    AppendReference = 2,

    /// <summary>An event of a state machine.</summary>
    Event = 3,

    /// <summary>A log comes to be; the payload is its <see cref="Log.LogKind"/>.</summary>
    CreateLog = 4,

    /// <summary>A log and all that it holds is gone.</summary>
    DeleteLog = 5,

    /// <summary>Everything before the offset is gone from a log.</summary>
    AdvanceStart = 6,

    /// <summary>A log whose messages are in memory may hand out offsets below this one.</summary>
    ReserveOffsets = 7,

    /// <summary>The store was stopped in good order; nothing follows in this file.</summary>
    CleanStop = 8,

    /// <summary>A state machine comes to be, as its id's factory makes it.</summary>
    CreateState = 9,

    /// <summary>A state machine is gone.</summary>
    DeleteState = 10,
}

/// <summary>
/// The payload of a round: commit records, each a header and a body of entries. A commit too large for one round is
/// cut into fragments, each a commit record of its own; the one marked last commits. All integers are little-endian.
/// </summary>
/// <remarks>
/// <code>
/// commit record: 0 u32 body length  4 u8 flags (1 first, 2 last)  5 u8 mode  6 u16 zero  8 i64 sequence   (16 bytes)
/// entry:         0 u8 kind  1 u8[3] zero  4 u32 payload length  8 i64 log or state id  16 i64 offset      (24 bytes)
/// </code>
/// </remarks>
internal static class EntryFormat
{
    public const int CommitHeaderSize = 16;
    public const int EntryHeaderSize = 24;
    public const byte First = 1;
    public const byte Last = 2;

    public static void WriteCommitHeader(Span<byte> target, int bodyLength, byte flags, CommitMode mode, long sequence)
    {
        BinaryPrimitives.WriteInt32LittleEndian(target, bodyLength);
        target[4] = flags;
        target[5] = (byte)mode;
        target[6] = 0;
        target[7] = 0;
        BinaryPrimitives.WriteInt64LittleEndian(target[8..], sequence);
    }

    public static void WriteEntryHeader(Span<byte> target, EntryKind kind, int payloadLength, long id, long offset)
    {
        target[0] = (byte)kind;
        target[1] = 0;
        target[2] = 0;
        target[3] = 0;
        BinaryPrimitives.WriteInt32LittleEndian(target[4..], payloadLength);
        BinaryPrimitives.WriteInt64LittleEndian(target[8..], id);
        BinaryPrimitives.WriteInt64LittleEndian(target[16..], offset);
    }

    public readonly record struct CommitHeader(int BodyLength, byte Flags, CommitMode Mode, long Sequence);

    public static CommitHeader ReadCommitHeader(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadInt32LittleEndian(source), source[4], (CommitMode)source[5], BinaryPrimitives.ReadInt64LittleEndian(source[8..]));

    public readonly record struct EntryHeader(EntryKind Kind, int PayloadLength, long Id, long Offset);

    public static EntryHeader ReadEntryHeader(ReadOnlySpan<byte> source) => new(
        (EntryKind)source[0], BinaryPrimitives.ReadInt32LittleEndian(source[4..]), BinaryPrimitives.ReadInt64LittleEndian(source[8..]), BinaryPrimitives.ReadInt64LittleEndian(source[16..]));
}
