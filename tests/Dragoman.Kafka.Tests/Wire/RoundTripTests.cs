using System.Buffers;
using Dragoman.Kafka.Wire;

namespace Dragoman.Kafka.Tests.Wire;

public sealed class RoundTripTests
{
    private const int Rounds = 40;

    public static TheoryData<string, short> EveryVersion => MessageCodec.EveryVersion();

    [Theory]
    [MemberData(nameof(EveryVersion))]
    public void Every_message_comes_back_as_it_was_in_every_version(string name, short version)
    {
        MessageCodec codec = MessageCodec.Named(name);
        for (int seed = 0; seed < Rounds; seed++)
        {
            object message = new MessageFiller(seed, version).Fill(codec.Type);
            byte[] bytes = codec.Write(message, version);
            object whole = codec.Read(new ReadOnlySequence<byte>(bytes), version);
            MessageFiller.AssertSame(message, whole, $"{name} v{version} seed {seed}");

            var random = new Random(seed);
            object cut = codec.Read(Segments.Cut(bytes, () => random.Next(1, 12)), version);
            MessageFiller.AssertSame(message, cut, $"{name} v{version} seed {seed} in segments");
            Assert.Equal(bytes, codec.Write(cut, version));
        }
    }

    [Fact]
    public void All_declared_messages_are_walked()
    {
        Assert.Equal(2 * KafkaApis.All.Length, MessageCodec.All.Count);
        Assert.True(MessageCodec.EveryVersion().Count > 300);
    }
}
