using Dragoman.Storage.Records;

namespace Dragoman.Storage.Tests.Records;

/// <summary>Runs alone: a buffer that another test holds in the shared pools would have to be made anew.</summary>
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
[Collection(nameof(AllocationTests))]
public class AllocationTests
{
    [Fact]
    public void Building_and_validating_a_thousand_records_allocates_as_much_as_one_nothing()
    {
        foreach (CompressionCodec codec in new[] { CompressionCodec.None, CompressionCodec.Lz4, CompressionCodec.Zstd })
        {
            using var builder = new RecordBatchBuilder();
            var options = new BatchOptions { Codec = codec };
            for (int warm = 0; warm < 3; warm++)
            {
                BuildAndValidate(builder, options, 1000);
            }

            Assert.Equal(0, Allocated(() => BuildAndValidate(builder, options, 1)));
            Assert.Equal(0, Allocated(() => BuildAndValidate(builder, options, 1000)));
        }
    }

    private static long Allocated(Action action)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static void BuildAndValidate(RecordBatchBuilder builder, BatchOptions options, int records)
    {
        builder.Reset();
        for (int i = 0; i < records; i++)
        {
            builder.Add(1_700_000_000_000 + i, "some key"u8, "some value, and some more of it"u8);
        }

        BatchError error = RecordBatchValidator.Validate(builder.Build(options).Span, BatchLimits.Producer, out BatchSummary summary);
        if (error != BatchError.None || summary.RecordCount != records)
        {
            throw new InvalidOperationException($"{error} after {summary.RecordCount} records.");
        }
    }
}
