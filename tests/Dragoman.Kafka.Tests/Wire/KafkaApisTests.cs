using Dragoman.Kafka.Wire;

namespace Dragoman.Kafka.Tests.Wire;

public sealed class KafkaApisTests
{
    [Theory]
    [InlineData(ApiKey.Produce, 3, 11, 9)]
    [InlineData(ApiKey.Fetch, 4, 16, 12)]
    [InlineData(ApiKey.ListOffsets, 1, 8, 6)]
    [InlineData(ApiKey.Metadata, 0, 13, 9)]
    [InlineData(ApiKey.OffsetCommit, 2, 9, 8)]
    [InlineData(ApiKey.OffsetFetch, 1, 9, 6)]
    [InlineData(ApiKey.FindCoordinator, 0, 6, 3)]
    [InlineData(ApiKey.JoinGroup, 0, 9, 6)]
    [InlineData(ApiKey.SaslHandshake, 0, 1, short.MaxValue)]
    [InlineData(ApiKey.ApiVersions, 0, 4, 3)]
    [InlineData(ApiKey.CreateTopics, 2, 7, 5)]
    [InlineData(ApiKey.DescribeCluster, 0, 2, 0)]
    public void An_API_is_declared_with_the_versions_that_clients_need(ApiKey key, short min, short max, short flexibleFrom)
    {
        Assert.True(KafkaApis.TryGet(key, out ApiDeclaration api));
        Assert.Equal(new ApiDeclaration(key, key == ApiKey.Produce ? (short)0 : min, min, max, flexibleFrom), api);
        Assert.True(api.Decodes(min) && api.Decodes(max));
        Assert.False(api.Decodes((short)(min - 1)) || api.Decodes((short)(max + 1)));
    }

    [Theory]
    [InlineData(ApiKey.LeaderAndIsr)]
    [InlineData((ApiKey)(-1))]
    [InlineData((ApiKey)short.MaxValue)]
    [InlineData((ApiKey)short.MinValue)]
    public void An_API_that_is_not_declared_is_not_found(ApiKey key) => Assert.False(KafkaApis.TryGet(key, out _));

    [Fact]
    public void The_list_is_in_the_order_of_the_numbers_and_names_each_once()
    {
        short[] keys = [.. KafkaApis.All.ToArray().Select(api => (short)api.Key)];
        Assert.Equal(keys.Distinct().Order(), keys);
        Assert.Equal(MessageCodec.All.Count / 2, keys.Length);
    }

    [Fact]
    public void Error_codes_and_keys_are_unique_numbers()
    {
        // 99 is withdrawn.
        Assert.Equal(Enumerable.Range(-1, 135).Where(code => code != 99), Enum.GetValues<ErrorCode>().Select(e => (int)e).Order());
        Assert.Equal(Enumerable.Range(0, 93), Enum.GetValues<ApiKey>().Select(k => (int)k).Order());
    }
}
