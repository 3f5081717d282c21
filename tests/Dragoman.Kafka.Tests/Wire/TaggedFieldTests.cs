using System.Buffers;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Tests.Wire;

public sealed class TaggedFieldTests
{
    [Fact]
    [Trait("Row", "K3")]
    public void Unknown_tags_are_skipped_in_a_message_and_in_a_structure()
    {
        // Tag 5 with three bytes in the topic; tags 7 (empty) and 300 with one byte in the message.
        byte[] bytes = Hex.Parse("02 03 'ab' 01 05 03 010203 01 00 00 02 07 00 AC02 01 FF");
        MetadataRequest request = KafkaFrame.Read<MetadataRequest>(new ReadOnlySequence<byte>(bytes), 9);
        Assert.Equal("ab", Assert.Single(request.Topics!).Name);
        Assert.True(request.AllowAutoTopicCreation);
    }

    [Fact]
    public void Known_and_unknown_tags_may_stand_side_by_side()
    {
        // Tag 0 is the cluster id "c", tag 1 is not known before version 15, and tag 9 never.
        const string Body = "FFFFFFFF 00000000 00000000 00000000 00 00000000 FFFFFFFF 01 01 01";
        byte[] bytes = Hex.Parse($"{Body} 03 00 02 02 'c' 01 02 AAAA 09 01 00");
        FetchRequest request = KafkaFrame.Read<FetchRequest>(new ReadOnlySequence<byte>(bytes), 12);
        Assert.Equal("c", request.ClusterId);
        Assert.Null(request.ReplicaState);
    }

    [Theory]
    [InlineData("01 00 03 02 'c' 00")] // a byte more than the value
    [InlineData("01 00 01 02 'c'")] // a byte less than the value
    [InlineData("01 00 05 02 'c'")] // a size beyond the frame
    [InlineData("FF FF FF FF 0F 00")] // a count beyond the frame
    [InlineData("02 00 02 02 'c'")] // a count beyond what is there
    public void A_tagged_section_that_does_not_add_up_is_refused(string section)
    {
        const string Body = "FFFFFFFF 00000000 00000000 00000000 00 00000000 FFFFFFFF 01 01 01";
        Assert.Throws<KafkaWireException>(
            () => KafkaFrame.Read<FetchRequest>(new ReadOnlySequence<byte>(Hex.Parse($"{Body} {section}")), 12));
    }

    [Fact]
    public void A_tagged_field_at_its_initial_value_is_not_written()
    {
        Assert.Equal(
            Hex.Parse("0000 01 00000000 00"),
            MessageCodec.Named(nameof(ApiVersionsResponse)).Write(new ApiVersionsResponse { FinalizedFeaturesEpoch = -1 }, 3));
        Assert.Equal(
            Hex.Parse("0000 01 00000000 01 01 08 0000000000000000"),
            MessageCodec.Named(nameof(ApiVersionsResponse)).Write(new ApiVersionsResponse { FinalizedFeaturesEpoch = 0 }, 3));
    }
}
