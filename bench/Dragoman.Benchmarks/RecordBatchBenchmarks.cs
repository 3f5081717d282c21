using BenchmarkDotNet.Attributes;
using Dragoman.Storage.Records;
using Dragoman.Storage.Records.Compression;

namespace Dragoman.Benchmarks;

/// <summary>
/// Record batches without any I/O. Validation and building must allocate the same for one record as for a thousand:
/// nothing (but for gzip, whose library needs a stream per batch).
/// </summary>
[MemoryDiagnoser]
public class RecordBatchBenchmarks
{
    private readonly RecordBatchBuilder _builder = new();
    private readonly PooledBuffer _buffer = new();
    private readonly byte[] _value = new byte[100];
    private byte[] _batch = [];

    /// <summary>Records of 100 bytes in a batch.</summary>
    [Params(1, 1000)]
    public int Records { get; set; }

    /// <summary>The codec of the batch.</summary>
    [ParamsAllValues]
    public CompressionCodec Codec { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        // Half noise, half repetition: compresses about two to one, as text and JSON do.
        new Random(1).NextBytes(_value.AsSpan(50));
        _batch = Build().ToArray();
    }

    [Benchmark]
    public BatchError Validate() => RecordBatchValidator.Validate(_batch, BatchLimits.Producer, out _);

    [Benchmark]
    public Memory<byte> Build()
    {
        var noise = new NoiseSource(Records);
        _builder.Reset();
        for (int i = 0; i < Records; i++)
        {
            noise.Fill(_value.AsSpan(50));
            _builder.Add(1_700_000_000_000 + i, _value.AsSpan(0, 8), _value);
        }

        return _builder.Build(new BatchOptions { Codec = Codec });
    }

    [Benchmark]
    public DecompressionResult Decompress()
    {
        _buffer.Clear();
        return RecordCompression.Decompress(
            Codec, _batch.AsSpan(RecordBatchHeader.Size), BatchLimits.DefaultMaxDecompressedBytes, _buffer);
    }

    /// <summary>Cheap bytes that do not repeat.</summary>
    private struct NoiseSource(int seed)
    {
        private ulong _state = (ulong)seed + 0x9E3779B97F4A7C15;

        public void Fill(Span<byte> bytes)
        {
            for (int i = 0; i < bytes.Length; i++)
            {
                _state = (_state * 6364136223846793005) + 1442695040888963407;
                bytes[i] = (byte)(_state >> 56);
            }
        }
    }
}
