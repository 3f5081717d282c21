using System.Buffers;
using System.Buffers.Binary;

namespace Dragoman.Storage.Log;

/// <summary>
/// A stretch of whole batches that was found and can be copied out, once or more, until it is disposed. Until then
/// the files it lies in stay on disk, whatever retention and checkpoints do.
/// </summary>
/// <remarks>Not thread-safe. Reusable: <see cref="PartitionLog.Read"/> fills it anew.</remarks>
public sealed class LogRead : IDisposable
{
    // Large reads are copied in steps, so that a pipe's buffers are filled one at a time.
    private const int Step = 64 * 1024;

    private readonly List<Slice> _slices = [];
    private int _cursor;
    private int _cursorStart;

    private readonly record struct Slice(IByteSource Source, long Position, int Length, long BaseOffset);

    /// <summary>Bytes found.</summary>
    public int TotalBytes { get; private set; }

    /// <summary>Base offset of the first batch found, or -1: it may lie before the offset asked for.</summary>
    public long FirstOffset { get; internal set; } = -1;

    /// <summary>The offset after the last batch found, or the offset asked for if none was.</summary>
    public long NextOffset { get; internal set; }

    /// <summary>Adds bytes of a source that the caller has acquired for this read; it is released on disposal.</summary>
    /// <param name="source">Where the bytes are.</param>
    /// <param name="position">At which position.</param>
    /// <param name="length">How many.</param>
    /// <param name="baseOffset">The base offset to put in front, where the stored one is another log's; or -1.</param>
    internal void Add(IByteSource source, long position, int length, long baseOffset)
    {
        if (baseOffset < 0 && _slices.Count > 0 && _slices[^1] is { BaseOffset: < 0 } last
            && ReferenceEquals(last.Source, source) && last.Position + last.Length == position)
        {
            _slices[^1] = last with { Length = last.Length + length };
            source.Release();
        }
        else
        {
            _slices.Add(new Slice(source, position, length, baseOffset));
        }
        TotalBytes += length;
    }

    /// <summary>Copies all bytes found to a writer.</summary>
    /// <exception cref="IOException">The disk failed, or does not hold what it should.</exception>
    public void CopyTo(IBufferWriter<byte> target)
    {
        ArgumentNullException.ThrowIfNull(target);
        foreach (var slice in _slices)
        {
            for (var done = 0; done < slice.Length;)
            {
                var span = target.GetSpan(Math.Min(Step, slice.Length - done));
                if (span.Length > slice.Length - done) span = span[..(slice.Length - done)];
                slice.Source.Read(slice.Position + done, span);
                if (done == 0 && slice.BaseOffset >= 0) BinaryPrimitives.WriteInt64BigEndian(span, slice.BaseOffset);
                target.Advance(span.Length);
                done += span.Length;
            }
        }
    }

    /// <summary>Copies all bytes found to a span of at least <see cref="TotalBytes"/>.</summary>
    /// <exception cref="IOException">The disk failed, or does not hold what it should.</exception>
    public void CopyTo(Span<byte> target)
    {
        foreach (var slice in _slices)
        {
            slice.Source.Read(slice.Position, target[..slice.Length]);
            if (slice.BaseOffset >= 0) BinaryPrimitives.WriteInt64BigEndian(target, slice.BaseOffset);
            target = target[slice.Length..];
        }
    }

    /// <summary>Copies a part of the bytes found, so that a reader can take them step by step.</summary>
    /// <param name="from">Position among the <see cref="TotalBytes"/> at which to begin.</param>
    /// <param name="target">Where to copy to; no more is copied than fits.</param>
    /// <returns>How many bytes were copied: less than fit only at the end.</returns>
    /// <exception cref="IOException">The disk failed, or does not hold what it should.</exception>
    public int CopyTo(int from, Span<byte> target)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(from);
        var copied = 0;
        // Readers go forward, so the slice where the last call ended is where this one begins.
        if (from < _cursorStart) (_cursor, _cursorStart) = (0, 0);
        for (; _cursor < _slices.Count; _cursor++)
        {
            var slice = _slices[_cursor];
            var skip = from + copied - _cursorStart;
            if (skip >= slice.Length)
            {
                _cursorStart += slice.Length;
                continue;
            }
            var part = target[copied..];
            if (part.Length > slice.Length - skip) part = part[..(slice.Length - skip)];
            slice.Source.Read(slice.Position + skip, part);
            if (slice.BaseOffset >= 0 && skip < sizeof(long)) WriteBaseOffset(part, slice.BaseOffset, skip);
            copied += part.Length;
            if (copied == target.Length) break;
            _cursorStart += slice.Length;
        }
        return copied;
    }

    /// <summary>Puts in what of a base offset lies behind a position within it.</summary>
    private static void WriteBaseOffset(Span<byte> target, long baseOffset, int skip)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, baseOffset);
        bytes = bytes[skip..];
        if (bytes.Length > target.Length) bytes = bytes[..target.Length];
        bytes.CopyTo(target);
    }

    /// <summary>Lets go of what was found. The object can be used for another read.</summary>
    public void Dispose()
    {
        foreach (var slice in _slices) slice.Source.Release();
        _slices.Clear();
        _cursor = 0;
        _cursorStart = 0;
        TotalBytes = 0;
        FirstOffset = -1;
        NextOffset = 0;
    }
}

/// <summary>Bytes that can be read at a position while they are acquired: a file, or a stretch of memory.</summary>
internal interface IByteSource
{
    bool TryAcquire();

    void Release();

    void Read(long position, Span<byte> buffer);
}
