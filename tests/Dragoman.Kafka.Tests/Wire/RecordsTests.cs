using System.Buffers;
using System.Runtime.InteropServices;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Tests.Wire;

/// <summary>Record bytes go through the codec uncopied, and what is allocated does not depend on them.</summary>
public sealed class RecordsTests
{
    [Theory]
    [InlineData(3)]
    [InlineData(11)]
    public void Produced_records_are_a_view_on_the_frame(short version)
    {
        byte[] frame = ProduceFrame([1, 2, 3, 4], version);
        ProduceRequest request = KafkaFrame.Read<ProduceRequest>(new ReadOnlySequence<byte>(frame), version);
        ReadOnlySequence<byte> records = request.TopicData[0].PartitionData[0].Records.Bytes;
        Assert.True(MemoryMarshal.TryGetArray(records.First, out ArraySegment<byte> view));
        Assert.Same(frame, view.Array);
        Assert.Equal(4, view.Count);
    }

    [Fact]
    public void Decoding_a_produce_request_allocates_the_same_for_a_small_and_a_large_batch()
    {
        var small = new ReadOnlySequence<byte>(ProduceFrame(new byte[70], 9));
        var large = new ReadOnlySequence<byte>(ProduceFrame(new byte[1_000_000], 9));
        long forSmall = Allocated(() => KafkaFrame.Read<ProduceRequest>(small, 9));
        long forLarge = Allocated(() => KafkaFrame.Read<ProduceRequest>(large, 9));
        Assert.Equal(forSmall, forLarge);
        Assert.InRange(forSmall, 1, 1024);
    }

    [Fact]
    public void Encoding_a_fetch_response_allocates_the_same_for_a_small_and_a_large_batch()
    {
        var output = new FixedOutput(2_000_000);
        FetchResponse small = Fetched(new Records(new Pattern(70)));
        FetchResponse large = Fetched(new Records(new Pattern(1_000_000)));
        long forSmall = Allocated(() => Write(small));
        long forLarge = Allocated(() => Write(large));
        Assert.Equal(forSmall, forLarge);
        Assert.Equal(0, forLarge);

        void Write(FetchResponse response)
        {
            output.Clear();
            KafkaFrame.WriteResponse(output, 1, 12, response);
        }
    }

    [Fact]
    public void A_source_writes_its_records_into_the_output()
    {
        var output = new ArrayBufferWriter<byte>();
        KafkaFrame.WriteResponse(output, 1, 12, Fetched(new Records(new Pattern(5000))));
        var body = new ReadOnlySequence<byte>(output.WrittenMemory[9..]);
        Records back = KafkaFrame.Read<FetchResponse>(body, 12).Responses[0].Partitions[0].Records;
        Assert.Equal(Enumerable.Range(0, 5000).Select(i => (byte)i), back.Bytes.ToArray());
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1)]
    public void A_source_that_does_not_keep_its_word_is_found_out(int error)
    {
        FetchResponse response = Fetched(new Records(new Pattern(500, error)));
        Assert.Throws<InvalidOperationException>(
            () => KafkaFrame.WriteResponse(new ArrayBufferWriter<byte>(), 1, 12, response));
    }

    [Fact]
    public void Null_and_empty_records_differ()
    {
        Assert.True(default(Records).IsNull);
        Assert.False(new Records(ReadOnlySequence<byte>.Empty).IsNull);
        foreach (short version in new short[] { 4, 12 })
        {
            foreach (Records records in new[] { default, new Records(ReadOnlySequence<byte>.Empty) })
            {
                MessageCodec codec = MessageCodec.Named(nameof(FetchResponse));
                byte[] bytes = codec.Write(Fetched(records), version);
                FetchResponse back = KafkaFrame.Read<FetchResponse>(new ReadOnlySequence<byte>(bytes), version);
                Assert.Equal(records.IsNull, back.Responses[0].Partitions[0].Records.IsNull);
            }
        }
    }

    private static byte[] ProduceFrame(byte[] records, short version) => MessageCodec.Named(nameof(ProduceRequest)).Write(
        new ProduceRequest
        {
            TopicData = [new() { Name = "orders", PartitionData = [new() { Records = new(new ReadOnlySequence<byte>(records)) }] }],
        },
        version);

    private static FetchResponse Fetched(Records records) => new()
    {
        Responses = [new() { Topic = "orders", Partitions = [new() { Records = records }] }],
    };

    private static long Allocated(Action action)
    {
        for (int i = 0; i < 50; i++)
            action();
        long before = GC.GetAllocatedBytesForCurrentThread();
        action();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private sealed class Pattern(int length, int error = 0) : IRecordsSource
    {
        public int Length => length;

        public void WriteTo(ref KafkaWriter writer)
        {
            for (int done = 0; done < length + error;)
            {
                Span<byte> place = writer.GetSpan();
                int count = Math.Min(place.Length, length + error - done);
                for (int i = 0; i < count; i++)
                    place[i] = (byte)(done + i);
                writer.Advance(count);
                done += count;
            }
        }
    }

    private sealed class FixedOutput(int size) : IBufferWriter<byte>
    {
        private readonly byte[] _bytes = new byte[size];
        private int _used;

        public void Clear() => _used = 0;

        public void Advance(int count) => _used += count;

        public Memory<byte> GetMemory(int sizeHint = 0) => _bytes.AsMemory(_used);

        public Span<byte> GetSpan(int sizeHint = 0) => _bytes.AsSpan(_used);
    }
}
