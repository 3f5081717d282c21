using System.Buffers.Binary;
using Dragoman.Fuzz.Fuzzing;
using Dragoman.Storage.Records;

namespace Dragoman.Fuzz.Targets;

/// <summary>Record batches with every codec, through the validator and the reader: bad ones are answered, never thrown at.</summary>
internal sealed class RecordBatchInputs : FuzzTarget, IDisposable
{
    private const int MaxDecompressed = 256 << 10;

    private static readonly CompressionCodec[] Codecs = [CompressionCodec.None, CompressionCodec.Gzip, CompressionCodec.Snappy, CompressionCodec.Lz4, CompressionCodec.Zstd];

    private readonly RecordBatchReader _reader = new();

    public override byte[] Generate(Random random)
    {
        using var builder = new RecordBatchBuilder();
        var repeated = random.Next(2) == 0;
        for (var n = random.Next(1, 8); n > 0; n--)
        {
            var value = new byte[random.Next(200)];
            if (!repeated) random.NextBytes(value);
            builder.Add(random.NextInt64(1L << 42), random.Next(3) == 0 ? NullableBytes.Null : "key"u8, random.Next(5) == 0 ? NullableBytes.Null : value);
        }
        return builder.Build(new BatchOptions { Codec = Codecs[random.Next(Codecs.Length)] }).ToArray();
    }

    public override byte[] Seal(byte[] input)
    {
        if (input.Length < RecordBatchHeader.Size) return input;
        BinaryPrimitives.WriteInt32BigEndian(input.AsSpan(8), input.Length - 12);
        BinaryPrimitives.WriteUInt32BigEndian(input.AsSpan(RecordBatchHeader.CrcOffset), RecordBatch.ComputeCrc(input));
        return input;
    }

    public override bool Decode(byte[] input, Random random)
    {
        var limits = (random.Next(2) == 0 ? BatchLimits.Producer : new BatchLimits()) with { MaxDecompressedBytes = MaxDecompressed };
        var error = RecordBatchValidator.Validate(input, limits, out var summary);
        var batches = new RecordBatches(input);
        while (batches.MoveNext()) RecordBatchHeader.TryRead(batches.Current, out _);
        if (_reader.Open(input, MaxDecompressed) == BatchError.None)
        {
            var count = 0;
            var records = _reader.Records;
            while (records.MoveNext()) count++;
            if (error == BatchError.None && (records.Error != BatchError.None || count != summary.RecordCount))
                throw new FuzzFailedException($"The validator found {summary.RecordCount} records, and the reader {count} and {records.Error}.");
            _reader.Close();
        }
        else if (error == BatchError.None)
        {
            throw new FuzzFailedException("The validator took a batch that the reader does not open.");
        }
        return error == BatchError.None;
    }

    public void Dispose() => _reader.Dispose();

    public override bool IsRefusal(Exception error) => false;

    // Buffers double, and codecs have tables.
    public override long MostAllocated(byte[] input) => (4 << 20) + input.Length * 16L;
}
