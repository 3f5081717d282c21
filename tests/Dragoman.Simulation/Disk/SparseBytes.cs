namespace Dragoman.Simulation;

/// <summary>Bytes by position; what was never written is zero and takes no memory.</summary>
internal sealed class SparseBytes
{
    private const int PageSize = 4096;

    private readonly Dictionary<long, byte[]> _pages = [];

    public void Read(long position, Span<byte> buffer)
    {
        for (int done = 0; done < buffer.Length;)
        {
            var (page, offset) = Math.DivRem(position + done, PageSize);
            int count = Math.Min(PageSize - (int)offset, buffer.Length - done);
            var target = buffer.Slice(done, count);
            if (_pages.TryGetValue(page, out byte[]? bytes))
            {
                bytes.AsSpan((int)offset, count).CopyTo(target);
            }
            else
            {
                target.Clear();
            }

            done += count;
        }
    }

    public void Write(long position, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var (page, offset) = Math.DivRem(position, PageSize);
            int count = Math.Min(PageSize - (int)offset, bytes.Length);
            if (!_pages.TryGetValue(page, out byte[]? target))
            {
                _pages[page] = target = new byte[PageSize];
            }

            bytes[..count].CopyTo(target.AsSpan((int)offset));
            position += count;
            bytes = bytes[count..];
        }
    }

    /// <summary>Makes everything from a position on zero.</summary>
    public void ClearFrom(long position)
    {
        var (page, offset) = Math.DivRem(position, PageSize);
        if (offset != 0 && _pages.TryGetValue(page, out byte[]? cut))
        {
            cut.AsSpan((int)offset).Clear();
            page++;
        }
        else if (offset != 0)
        {
            page++;
        }

        foreach (long gone in _pages.Keys.Where(key => key >= page).ToList())
        {
            _pages.Remove(gone);
        }
    }

    public SparseBytes Clone()
    {
        var clone = new SparseBytes();
        foreach (var (page, bytes) in _pages)
        {
            clone._pages[page] = (byte[])bytes.Clone();
        }

        return clone;
    }
}
