using System.Buffers;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Tests.Wire;

public sealed class HostileInputTests
{
    // An exception and its message, and the buffers that a decoded message starts with.
    private const long Overhead = 24 * 1024;
    private const long BytesPerInputByte = 96;

    public static TheoryData<string, short> EveryVersion => MessageCodec.EveryVersion();

    [Theory]
    [MemberData(nameof(EveryVersion))]
    public void A_message_cut_short_anywhere_is_refused(string name, short version)
    {
        MessageCodec codec = MessageCodec.Named(name);
        for (int seed = 100; seed < 103; seed++)
        {
            byte[] bytes = codec.Write(new MessageFiller(seed, version).Fill(codec.Type), version);
            for (int length = 0; length < bytes.Length; length++)
                Assert.Throws<KafkaWireException>(() => codec.Read(new ReadOnlySequence<byte>(bytes, 0, length), version));
            Assert.Throws<KafkaWireException>(() => codec.Read(new ReadOnlySequence<byte>([.. bytes, 0]), version));
        }
    }

    [Theory]
    [MemberData(nameof(EveryVersion))]
    public void A_damaged_message_is_refused_or_read_and_never_allocates_out_of_proportion(string name, short version)
    {
        MessageCodec codec = MessageCodec.Named(name);
        Attempt(codec, [], version);
        for (int seed = 200; seed < 260; seed++)
        {
            var random = new Random(seed);
            byte[] bytes = codec.Write(new MessageFiller(seed, version).Fill(codec.Type), version);
            for (int hits = random.Next(1, 4); hits > 0 && bytes.Length > 0; hits--)
            {
                int at = random.Next(bytes.Length);
                bytes[at] = random.Next(3) switch { 0 => 0xFF, 1 => 0x7F, _ => (byte)random.Next(256) };
            }

            AssertBounded(codec, bytes, version, $"{name} v{version} seed {seed}");
        }
    }

    [Theory]
    [MemberData(nameof(EveryVersion))]
    public void Noise_is_refused_or_read_and_never_allocates_out_of_proportion(string name, short version)
    {
        MessageCodec codec = MessageCodec.Named(name);
        Attempt(codec, [], version);
        for (int seed = 300; seed < 340; seed++)
        {
            var random = new Random(seed);
            byte[] bytes = new byte[random.Next(1, 2000)];
            // Small numbers get further into a decoder than large ones.
            for (int i = 0; i < bytes.Length; i++)
                bytes[i] = (byte)(random.Next(4) == 0 ? random.Next(256) : random.Next(4));
            AssertBounded(codec, bytes, version, $"{name} v{version} seed {seed}");
        }
    }

    [Fact]
    public void An_array_count_beyond_the_frame_is_refused_before_anything_is_allocated()
    {
        MessageCodec codec = MessageCodec.Named(nameof(MetadataRequest));
        AssertBounded(codec, [0x7F, 0xFF, 0xFF, 0xFF, 0, 0], 1, "int32 count");
        AssertBounded(codec, [0xFF, 0xFF, 0xFF, 0xFF, 0x0F, 0, 0, 0, 0], 9, "varint count");
        var error = Assert.Throws<KafkaWireException>(
            () => codec.Read(new ReadOnlySequence<byte>([0x7F, 0xFF, 0xFF, 0xFF, 0, 0]), 1));
        Assert.Equal(KafkaWireError.Truncated, error.Error);
    }

    [Fact]
    public void A_message_with_too_many_elements_in_all_is_refused()
    {
        byte[] bytes = MessageCodec.Named(nameof(FindCoordinatorRequest)).Write(
            new FindCoordinatorRequest { CoordinatorKeys = [.. Enumerable.Repeat("", KafkaReader.MaxElements)] }, 4);
        Assert.Equal(
            KafkaReader.MaxElements,
            KafkaFrame.Read<FindCoordinatorRequest>(new ReadOnlySequence<byte>(bytes), 4).CoordinatorKeys.Count);

        byte[] more = MessageCodec.Named(nameof(FindCoordinatorRequest)).Write(
            new FindCoordinatorRequest { CoordinatorKeys = [.. Enumerable.Repeat("", KafkaReader.MaxElements + 1)] }, 4);
        var error = Assert.Throws<KafkaWireException>(
            () => KafkaFrame.Read<FindCoordinatorRequest>(new ReadOnlySequence<byte>(more), 4));
        Assert.Equal(KafkaWireError.Malformed, error.Error);
    }

    [Theory]
    [MemberData(nameof(EveryVersion))]
    public void A_version_that_is_not_declared_is_refused(string name, short version)
    {
        MessageCodec codec = MessageCodec.Named(name);
        if (version != codec.Min)
            return;
        foreach (short other in new short[] { (short)(codec.Min - 1), (short)(codec.Max + 1), short.MinValue, short.MaxValue })
        {
            var error = Assert.Throws<KafkaWireException>(
                () => codec.Read(new ReadOnlySequence<byte>(new byte[64]), other));
            Assert.Equal(KafkaWireError.UnsupportedVersion, error.Error);
        }
    }

    [Theory]
    [InlineData("80 80 80 80 10")] // 33 bits
    [InlineData("FF FF FF FF FF 01")]
    [InlineData("80")]
    public void A_varint_that_is_too_long_or_cut_short_is_refused(string hex) => Assert.Throws<KafkaWireException>(() =>
    {
        var reader = new KafkaReader(new ReadOnlySequence<byte>(Hex.Parse(hex)));
        reader.ReadUnsignedVarint();
    });

    [Theory]
    [InlineData("00", 0u)]
    [InlineData("7F", 127u)]
    [InlineData("80 01", 128u)]
    [InlineData("FF 7F", 16383u)]
    [InlineData("FF FF FF FF 0F", uint.MaxValue)]
    public void Varints_are_seven_bits_a_byte_lowest_first(string hex, uint value)
    {
        var reader = new KafkaReader(new ReadOnlySequence<byte>(Hex.Parse(hex)));
        Assert.Equal(value, reader.ReadUnsignedVarint());
        var output = new ArrayBufferWriter<byte>();
        var writer = new KafkaWriter(output);
        writer.WriteUnsignedVarint(value);
        writer.Flush();
        Assert.Equal(Hex.Parse(hex), output.WrittenSpan.ToArray());
    }

    [Fact]
    public void A_null_that_a_version_does_not_allow_is_refused_both_ways()
    {
        var nothing = new MetadataRequest { Topics = null };
        var error = Assert.Throws<KafkaWireException>(() => MessageCodec.Named(nameof(MetadataRequest)).Write(nothing, 0));
        Assert.Contains(nameof(MetadataRequest.Topics), error.Message, StringComparison.Ordinal);
        Assert.Throws<KafkaWireException>(
            () => KafkaFrame.Read<MetadataRequest>(new ReadOnlySequence<byte>(Hex.Parse("FF FF FF FF")), 0));
        Assert.Null(KafkaFrame.Read<MetadataRequest>(new ReadOnlySequence<byte>(Hex.Parse("FF FF FF FF")), 1).Topics);
    }

    private static void AssertBounded(MessageCodec codec, byte[] bytes, short version, string what)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        Attempt(codec, bytes, version);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated <= Overhead + (bytes.Length * BytesPerInputByte), $"{what}: {bytes.Length} bytes made {allocated}");
    }

    /// <summary>Reads; any exception but the documented one fails the test.</summary>
    private static void Attempt(MessageCodec codec, byte[] bytes, short version)
    {
        try
        {
            codec.Read(new ReadOnlySequence<byte>(bytes), version);
        }
        catch (KafkaWireException)
        {
            // What every malformed input is to end as.
        }
    }
}
