using BenchmarkDotNet.Attributes;
using Dragoman.Storage.Records;

namespace Dragoman.Benchmarks;

/// <summary>The checksum alone; bytes divided by the time is its throughput.</summary>
public class Crc32CBenchmarks
{
    private byte[] _bytes = [];

    /// <summary>Bytes to checksum.</summary>
    [Params(100, 1_000, 16_384, 1 << 20)]
    public int Bytes { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _bytes = new byte[Bytes];
        new Random(1).NextBytes(_bytes);
    }

    [Benchmark]
    public uint Compute() => Crc32C.Compute(_bytes);
}
