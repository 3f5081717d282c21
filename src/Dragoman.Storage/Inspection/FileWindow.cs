using Dragoman.Storage.Platform;

namespace Dragoman.Storage.Inspection;

/// <summary>Reads a file mostly from front to back, in large pieces.</summary>
internal sealed class FileWindow(IStorageFile file)
{
    private byte[] _bytes = new byte[1 << 20];
    private long _start;
    private int _length;

    /// <summary>The bytes at a position; fewer than asked for at the end of the file.</summary>
    public Span<byte> At(long position, int length)
    {
        if (position < _start || position + length > _start + _length) Load(position, length);
        var offset = (int)(position - _start);
        return _bytes.AsSpan(offset, Math.Clamp(_length - offset, 0, length));
    }

    private void Load(long position, int length)
    {
        if (length > _bytes.Length) _bytes = new byte[length];
        _start = position;
        _length = 0;
        while (_length < _bytes.Length)
        {
            var read = file.Read(position + _length, _bytes.AsSpan(_length));
            if (read == 0) break;
            _length += read;
        }
    }
}
