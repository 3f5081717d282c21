using System.Buffers;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Tests.Wire;

/// <summary>Bytes written by hand from the protocol guide, for the messages that every client begins with.</summary>
public sealed class GoldenVectorTests
{
    private const string Id = "00 11 22 33 44 55 66 77 88 99 AA BB CC DD EE FF";
    private static readonly Guid s_id = new("00112233-4455-6677-8899-aabbccddeeff");

    [Fact]
    public void ApiVersions_request()
    {
        AssertBytes(new ApiVersionsRequest(), 0, "");
        AssertBytes(
            new ApiVersionsRequest { ClientSoftwareName = "lib", ClientSoftwareVersion = "1.0" },
            3,
            "04 'lib' 04 '1.0' 00");
    }

    [Fact]
    public void ApiVersions_response()
    {
        var response = new ApiVersionsResponse
        {
            ErrorCode = ErrorCode.UnsupportedVersion,
            ApiKeys = [new() { ApiKey = ApiKey.ApiVersions, MinVersion = 0, MaxVersion = 4 }],
            ThrottleTimeMs = 7,
        };
        AssertBytes(response, 0, "0023 00000001 0012 0000 0004");
        AssertBytes(response, 1, "0023 00000001 0012 0000 0004 00000007");
        AssertBytes(response, 3, "0023 02 0012 0000 0004 00 00000007 00");
        response.FinalizedFeaturesEpoch = 1;
        response.FinalizedFeatures = [new() { Name = "x", MaxVersionLevel = 2, MinVersionLevel = 1 }];
        AssertBytes(response, 3, "0023 02 0012 0000 0004 00 00000007 02 01 08 0000000000000001 02 08 02 02 'x' 0002 0001 00");
    }

    [Fact]
    public void The_ApiVersions_response_keeps_the_old_header_and_no_other_flexible_one_does()
    {
        Assert.Equal(Hex.Parse("0000000C 0000002A 0000 01 00000000 00"), Response(3, new ApiVersionsResponse()));
        Assert.Equal(Hex.Parse("00000006 0000002A 0000"), Response(0, new HeartbeatResponse()));
        Assert.Equal(Hex.Parse("0000000C 0000002A 00 00000000 0000 00"), Response(4, new HeartbeatResponse()));

        static byte[] Response<T>(short version, T response)
            where T : IKafkaResponse<T>
        {
            var output = new ArrayBufferWriter<byte>();
            long length = KafkaFrame.WriteResponse(output, 42, version, response);
            Assert.Equal(output.WrittenCount, length);
            return output.WrittenSpan.ToArray();
        }
    }

    [Fact]
    public void Request_headers()
    {
        var request = new MetadataRequest { Topics = [] };
        var output = new ArrayBufferWriter<byte>();
        KafkaFrame.WriteRequest(output, 5, "me", 1, request);
        Assert.Equal(Hex.Parse("00000010 0003 0001 00000005 0002 'me' 00000000"), output.WrittenSpan.ToArray());
        output = new ArrayBufferWriter<byte>();
        KafkaFrame.WriteRequest(output, 5, null, 9, request);
        Assert.Equal(Hex.Parse("00000010 0003 0009 00000005 FFFF 00 01 01 00 00 00"), output.WrittenSpan.ToArray());

        // Version 2 of the header, with a tagged field that nobody knows, in front of one byte of body.
        var reader = new KafkaReader(new ReadOnlySequence<byte>(Hex.Parse("0003 0009 00000005 0002 'me' 01 63 02 AABB 7F")));
        Assert.True(RequestHeader.TryRead(ref reader, out RequestHeader header));
        Assert.Equal(new RequestHeader(ApiKey.Metadata, 9, 5, "me"), header);
        Assert.Equal(1, reader.Remaining);
    }

    [Fact]
    public void A_header_of_an_API_or_version_that_is_not_declared_still_gives_what_an_answer_needs()
    {
        var reader = new KafkaReader(new ReadOnlySequence<byte>(Hex.Parse("0012 0063 00000005 FF")));
        Assert.True(RequestHeader.TryRead(ref reader, out RequestHeader newer));
        Assert.Equal(new RequestHeader(ApiKey.ApiVersions, 99, 5, null), newer);
        reader = new KafkaReader(new ReadOnlySequence<byte>(Hex.Parse("7FFF FFFF 00000005")));
        Assert.True(RequestHeader.TryRead(ref reader, out RequestHeader unknown));
        Assert.Equal(new RequestHeader((ApiKey)short.MaxValue, -1, 5, null), unknown);
        reader = new KafkaReader(new ReadOnlySequence<byte>(Hex.Parse("FFFF 0000 00000005")));
        Assert.True(RequestHeader.TryRead(ref reader, out _));

        foreach (string cut in new[] { "", "0003 0001 000000", "0003 0001 00000005 00", "0003 0009 00000005 0000", "0003 0001 00000005 FFFE" })
        {
            reader = new KafkaReader(new ReadOnlySequence<byte>(Hex.Parse(cut)));
            Assert.False(RequestHeader.TryRead(ref reader, out _), cut);
        }
    }

    [Fact]
    public void Metadata_request()
    {
        AssertBytes(new MetadataRequest { Topics = [new() { Name = "ab" }] }, 0, "00000001 0002 'ab'");
        AssertBytes(new MetadataRequest { Topics = null }, 1, "FFFFFFFF");
        AssertBytes(new MetadataRequest { Topics = [new() { Name = "ab" }] }, 4, "00000001 0002 'ab' 01");
        AssertBytes(
            new MetadataRequest { Topics = [new() { Name = "ab" }], IncludeClusterAuthorizedOperations = true },
            9,
            "02 03 'ab' 00 01 01 00 00");
        AssertBytes(
            new MetadataRequest { Topics = [new() { TopicId = s_id, Name = null }], AllowAutoTopicCreation = false },
            12,
            $"02 {Id} 00 00 00 00 00");
        Assert.True(KafkaFrame.Read<MetadataRequest>(new ReadOnlySequence<byte>(Hex.Parse("FFFFFFFF")), 1).AllowAutoTopicCreation);
    }

    [Fact]
    public void Metadata_response()
    {
        var response = new MetadataResponse
        {
            Brokers = [new() { NodeId = 1, Host = "h", Port = 9092 }],
            ClusterId = "c",
            ControllerId = 1,
            Topics =
            [
                new()
                {
                    Name = "t",
                    TopicId = s_id,
                    Partitions = [new() { PartitionIndex = 2, LeaderId = 1, LeaderEpoch = 3, ReplicaNodes = [1], IsrNodes = [1] }],
                },
            ],
        };
        AssertBytes(response, 0,
            "00000001 00000001 0001 'h' 00002384 00000001 0000 0001 't' 00000001 0000 00000002 00000001 00000001 00000001 00000001 00000001");
        AssertBytes(response, 2,
            "00000001 00000001 0001 'h' 00002384 FFFF 0001 'c' 00000001 00000001 0000 0001 't' 00 00000001 0000 00000002 00000001 00000001 00000001 00000001 00000001");
        const string Flexible = "00000000 02 00000001 02 'h' 00002384 00 00 02 'c' 00000001 02 0000 02 't'";
        const string Partition = "00 02 0000 00000002 00000001 00000003 02 00000001 02 00000001 01 00 80000000 00";
        AssertBytes(response, 9, $"{Flexible} {Partition} 80000000 00");
        AssertBytes(response, 10, $"{Flexible} {Id} {Partition} 80000000 00");
        AssertBytes(response, 12, $"{Flexible} {Id} {Partition} 00");
        response.ErrorCode = ErrorCode.RebootstrapRequired;
        AssertBytes(response, 13, $"{Flexible} {Id} {Partition} 0081 00");
    }

    [Fact]
    public void Produce_request()
    {
        ProduceRequest request = Produce(new Records(new ReadOnlySequence<byte>([9, 8, 7])));
        AssertBytes(request, 3, "FFFF FFFF 000005DC 00000001 0001 't' 00000001 00000000 00000003 090807");
        AssertBytes(request, 9, "00 FFFF 000005DC 02 02 't' 02 00000000 04 090807 00 00 00");
        AssertBytes(Produce(default), 3, "FFFF FFFF 000005DC 00000001 0001 't' 00000001 00000000 FFFFFFFF");
        AssertBytes(Produce(default), 9, "00 FFFF 000005DC 02 02 't' 02 00000000 00 00 00 00");

        static ProduceRequest Produce(Records records) => new()
        {
            Acks = -1,
            TimeoutMs = 1500,
            TopicData = [new() { Name = "t", PartitionData = [new() { Records = records }] }],
        };
    }

    [Fact]
    public void Produce_response()
    {
        var response = new ProduceResponse
        {
            Responses = [new() { Name = "t", PartitionResponses = [new() { Index = 1, BaseOffset = 5, LogStartOffset = 0 }] }],
        };
        const string Old = "00000001 0001 't' 00000001 00000001 0000 0000000000000005 FFFFFFFFFFFFFFFF";
        AssertBytes(response, 3, $"{Old} 00000000");
        AssertBytes(response, 5, $"{Old} 0000000000000000 00000000");
        AssertBytes(response, 8, $"{Old} 0000000000000000 00000000 FFFF 00000000");
        const string Flexible = "02 02 't' 02 00000001 0000 0000000000000005 FFFFFFFFFFFFFFFF 0000000000000000 01 00";
        AssertBytes(response, 9, $"{Flexible} 00 00 00000000 00");
        response.Responses[0].PartitionResponses[0].CurrentLeader = new() { LeaderId = 2, LeaderEpoch = 3 };
        response.NodeEndpoints = [new() { NodeId = 2, Host = "h", Port = 1 }];
        AssertBytes(response, 10,
            $"{Flexible} 01 00 09 00000002 00000003 00 00 00000000 01 00 0D 02 00000002 02 'h' 00000001 00 00");
    }

    [Fact]
    public void Fetch_request()
    {
        var request = new FetchRequest
        {
            MaxWaitMs = 500,
            MinBytes = 1,
            MaxBytes = 0x10000,
            IsolationLevel = IsolationLevel.ReadCommitted,
            Topics = [new() { Topic = "t", TopicId = s_id, Partitions = [new() { Partition = 1, FetchOffset = 6, PartitionMaxBytes = 0x1000 }] }],
        };
        AssertBytes(request, 4,
            "FFFFFFFF 000001F4 00000001 00010000 01 00000001 0001 't' 00000001 00000001 0000000000000006 00001000");
        AssertBytes(request, 11,
            "FFFFFFFF 000001F4 00000001 00010000 01 00000000 FFFFFFFF 00000001 0001 't' 00000001 00000001 FFFFFFFF 0000000000000006 FFFFFFFFFFFFFFFF 00001000 00000000 0000");
        const string Partition = "02 00000001 FFFFFFFF 0000000000000006 FFFFFFFF FFFFFFFFFFFFFFFF 00001000 00 00 01 01";
        AssertBytes(request, 12, $"FFFFFFFF 000001F4 00000001 00010000 01 00000000 FFFFFFFF 02 02 't' {Partition} 00");
        AssertBytes(request, 15, $"000001F4 00000001 00010000 01 00000000 FFFFFFFF 02 {Id} {Partition} 00");
        request.ReplicaState = new() { ReplicaId = 1, ReplicaEpoch = 2 };
        AssertBytes(request, 16,
            $"000001F4 00000001 00010000 01 00000000 FFFFFFFF 02 {Id} {Partition} 01 01 0D 00000001 0000000000000002 00");
    }

    [Fact]
    public void Fetch_response()
    {
        var response = new FetchResponse
        {
            Responses =
            [
                new()
                {
                    Topic = "t",
                    TopicId = s_id,
                    Partitions = [new() { PartitionIndex = 1, HighWatermark = 9, LastStableOffset = 8, Records = new(new ReadOnlySequence<byte>([1, 2])) }],
                },
            ],
        };
        AssertBytes(response, 4,
            "00000000 00000001 0001 't' 00000001 00000001 0000 0000000000000009 0000000000000008 FFFFFFFF 00000002 0102");
        const string Partition = "02 00000001 0000 0000000000000009 0000000000000008 FFFFFFFFFFFFFFFF 00 FFFFFFFF 03 0102";
        AssertBytes(response, 12, $"00000000 0000 00000000 02 02 't' {Partition} 00 00 00");
        AssertBytes(response, 13, $"00000000 0000 00000000 02 {Id} {Partition} 00 00 00");
        response.Responses[0].Partitions[0].DivergingEpoch = new() { Epoch = 4, EndOffset = 5 };
        AssertBytes(response, 13,
            $"00000000 0000 00000000 02 {Id} {Partition} 01 00 0D 00000004 0000000000000005 00 00 00");
    }

    [Fact]
    public void Fields_of_Kafka_4_that_the_vectors_do_not_reach()
    {
        AssertBytes(new DescribeClusterRequest { IncludeFencedBrokers = true }, 2, "00 01 01 00");
        AssertBytes(
            new DescribeClusterResponse { ClusterId = "c", ControllerId = 1, Brokers = [new() { BrokerId = 1, Host = "h", Port = 1, IsFenced = true }] },
            2,
            "00000000 0000 00 01 02 'c' 00000001 02 00000001 02 'h' 00000001 00 01 00 80000000 00");
        AssertBytes(
            new DescribeGroupsResponse { Groups = [new() { ErrorCode = ErrorCode.GroupIdNotFound, ErrorMessage = "no", GroupId = "g" }] },
            6,
            "00000000 02 0045 03 'no' 02 'g' 01 01 01 01 80000000 00 00");
    }

    private static void AssertBytes<T>(T message, short version, string hex)
        where T : IKafkaMessage<T>
    {
        byte[] expected = Hex.Parse(hex);
        MessageCodec codec = MessageCodec.Named(typeof(T).Name);
        Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(codec.Write(message, version)));
        object back = codec.Read(new ReadOnlySequence<byte>(expected), version);
        Assert.Equal(Convert.ToHexString(expected), Convert.ToHexString(codec.Write(back, version)));
    }
}
