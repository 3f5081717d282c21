using System.Buffers.Binary;
using System.IO.Hashing;

namespace Dragoman.Storage.Journal;

/// <summary>
/// The bytes of journal files. A file is a <see cref="FileHeaderSize"/>-byte header followed by rounds, each starting
/// at a multiple of eight bytes. All integers are little-endian.
/// </summary>
/// <remarks>
/// <para>Round header (48 bytes):</para>
/// <code>
///  0 u32 magic            4 u32 payload length
///  8 u64 round number    16 u64 hash of the preceding round
/// 24 u64 synced through: the highest round number known to be on disk when this round was written
/// 32 u64 file number     40 u64 hash (XXH3-64) of bytes 0-39 and of the payload
/// </code>
/// <para>
/// One XXH3 hash serves as the checksum and as the link of the chain. "Synced through" is what tells a torn tail from
/// damage: a round that a later round calls synced must be there, whereas unsynced rounds may vanish in any order
/// when the power fails. The file number makes rounds left over in a recycled file worthless.
/// </para>
/// </remarks>
internal static class RoundFormat
{
    public const int FormatVersion = 1;
    public const int FileHeaderSize = 64;
    public const int RoundHeaderSize = 48;
    public const int Alignment = 8;

    private const ulong FileMagic = 0x4C4E4A4E41475244; // "DRGANJNL"
    private const uint RoundMagic = 0x444E5244; // "DRND"

    /// <summary>What each round begins with.</summary>
    public static ReadOnlySpan<byte> RoundMagicBytes => "DRND"u8;

    public static int Align(int length) => (length + (Alignment - 1)) & ~(Alignment - 1);

    /// <summary>The header of a journal file.</summary>
    public readonly record struct FileHeader(long FileNumber, long FirstRound, ulong PreviousHash, int Epoch, bool AfterCleanStop);

    public static void WriteFileHeader(Span<byte> target, in FileHeader header)
    {
        target[..FileHeaderSize].Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(target, FileMagic);
        BinaryPrimitives.WriteInt32LittleEndian(target[8..], FormatVersion);
        BinaryPrimitives.WriteInt32LittleEndian(target[12..], header.Epoch);
        BinaryPrimitives.WriteInt64LittleEndian(target[16..], header.FileNumber);
        BinaryPrimitives.WriteInt64LittleEndian(target[24..], header.FirstRound);
        BinaryPrimitives.WriteUInt64LittleEndian(target[32..], header.PreviousHash);
        target[40] = header.AfterCleanStop ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt64LittleEndian(target[56..], XxHash3.HashToUInt64(target[..56]));
    }

    /// <summary>Reads a file header; false if the bytes are not one (a file that was being made when the power failed).</summary>
    /// <exception cref="CorruptStoreException">It is a journal file of a newer release.</exception>
    public static bool TryReadFileHeader(ReadOnlySpan<byte> source, out FileHeader header)
    {
        header = default;
        if (source.Length < FileHeaderSize
            || BinaryPrimitives.ReadUInt64LittleEndian(source) != FileMagic
            || BinaryPrimitives.ReadUInt64LittleEndian(source[56..]) != XxHash3.HashToUInt64(source[..56]))
            return false;
        var version = BinaryPrimitives.ReadInt32LittleEndian(source[8..]);
        if (version > FormatVersion)
            throw new CorruptStoreException($"The journal has format {version}; this release reads up to {FormatVersion}. Run the release that wrote it, or a newer one.");
        header = new FileHeader(
            BinaryPrimitives.ReadInt64LittleEndian(source[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[24..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[32..]),
            BinaryPrimitives.ReadInt32LittleEndian(source[12..]),
            source[40] != 0);
        return true;
    }

    /// <summary>The header of a round.</summary>
    public readonly record struct RoundHeader(int PayloadLength, long Number, ulong PreviousHash, long SyncedThrough, long FileNumber, ulong Hash)
    {
        /// <summary>Bytes from this round's start to the next round's.</summary>
        public int TotalSize => Align(RoundHeaderSize + PayloadLength);
    }

    /// <summary>Fills in the header of a round whose payload is already in place behind it; returns the round's hash.</summary>
    public static ulong SealRound(Span<byte> round, int payloadLength, long number, ulong previousHash, long syncedThrough, long fileNumber)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(round, RoundMagic);
        BinaryPrimitives.WriteInt32LittleEndian(round[4..], payloadLength);
        BinaryPrimitives.WriteInt64LittleEndian(round[8..], number);
        BinaryPrimitives.WriteUInt64LittleEndian(round[16..], previousHash);
        BinaryPrimitives.WriteInt64LittleEndian(round[24..], syncedThrough);
        BinaryPrimitives.WriteInt64LittleEndian(round[32..], fileNumber);
        var hash = HashRound(round, payloadLength);
        BinaryPrimitives.WriteUInt64LittleEndian(round[40..], hash);
        round[(RoundHeaderSize + payloadLength)..Align(RoundHeaderSize + payloadLength)].Clear();
        return hash;
    }

    /// <summary>Reads a round header without checking its hash, which needs the payload.</summary>
    public static bool TryReadRoundHeader(ReadOnlySpan<byte> source, out RoundHeader header)
    {
        header = default;
        if (source.Length < RoundHeaderSize || BinaryPrimitives.ReadUInt32LittleEndian(source) != RoundMagic)
            return false;
        header = new RoundHeader(
            BinaryPrimitives.ReadInt32LittleEndian(source[4..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[16..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[24..]),
            BinaryPrimitives.ReadInt64LittleEndian(source[32..]),
            BinaryPrimitives.ReadUInt64LittleEndian(source[40..]));
        return header.PayloadLength >= 0;
    }

    /// <summary>The hash that a round (header and payload) should carry.</summary>
    public static ulong HashRound(ReadOnlySpan<byte> round, int payloadLength)
    {
        // The seed carries the header, so the payload is hashed in one pass without copying.
        var seed = XxHash3.HashToUInt64(round[..40]);
        return XxHash3.HashToUInt64(round.Slice(RoundHeaderSize, payloadLength), unchecked((long)seed));
    }
}
