using Dragoman.Fuzz.Fuzzing;
using Dragoman.Storage.Records;
using Dragoman.Storage.Records.Compression;

namespace Dragoman.Fuzz.Targets;

/// <summary>The decompressors on their own: what they are given is what anybody sent.</summary>
internal sealed class CompressedBytes : FuzzTarget
{
    private const int MaxBytes = 256 << 10;

    private static readonly CompressionCodec[] Codecs = [CompressionCodec.Gzip, CompressionCodec.Snappy, CompressionCodec.Lz4, CompressionCodec.Zstd];

    private CompressionCodec _codec;
    private byte[] _original = [];
    private byte[] _compressed = [];

    public override byte[] Generate(Random random)
    {
        _codec = Codecs[random.Next(Codecs.Length)];
        _original = new byte[random.Next(10) == 0 ? random.Next(100_000) : random.Next(2000)];
        // Some compress well, some hardly.
        var spread = random.Next(3) switch { 0 => 1, 1 => 8, _ => 256 };
        for (var i = 0; i < _original.Length; i++) _original[i] = (byte)random.Next(spread);
        using var buffer = new PooledBuffer();
        RecordCompression.Compress(_codec, _original, buffer);
        return _compressed = buffer.WrittenSpan.ToArray();
    }

    public override bool Decode(byte[] input, Random random)
    {
        using var buffer = new PooledBuffer();
        var result = RecordCompression.Decompress(_codec, input, MaxBytes, buffer);
        if (buffer.WrittenSpan.Length > MaxBytes) throw new FuzzFailedException($"{_codec} wrote {buffer.WrittenSpan.Length} bytes, and {MaxBytes} were allowed.");
        if (input.AsSpan().SequenceEqual(_compressed) && !(result == DecompressionResult.Ok && buffer.WrittenSpan.SequenceEqual(_original)))
            throw new FuzzFailedException($"{_codec} answered {result}, and not what was compressed.");
        // What was in the memory before is somebody else's, and must not show.
        using var used = new PooledBuffer();
        used.GetSpan(2 * MaxBytes).Fill(0xA5);
        var again = RecordCompression.Decompress(_codec, input, MaxBytes, used);
        if (again != result || (result == DecompressionResult.Ok && !used.WrittenSpan.SequenceEqual(buffer.WrittenSpan)))
            throw new FuzzFailedException($"{_codec} makes of the same bytes what depends on the memory it writes to: {result}, then {again}.");
        return result == DecompressionResult.Ok;
    }

    public override bool IsRefusal(Exception error) => false;

    public override long MostAllocated(byte[] input) => (8 << 20) + input.Length * 16L;
}
