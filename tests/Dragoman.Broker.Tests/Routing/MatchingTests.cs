using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Tests.Queues;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Tests.Routing;

/// <summary>Types of topics of which each message takes one route.</summary>
[Trait("Row", "R26")]
public sealed class MatchingTests
{
    private static readonly TopicName Source = TopicName.InDefault("e");

    private static async Task<TestBroker> StartAsync(string type, params (string Queue, string Key)[] routes)
    {
        var broker = await TestBroker.StartAsync();
        Assert.Equal(RoutingStatus.Ok, (await broker.Broker.Routing.DeclareAsync(Source, new ExchangeFacet { Type = type })).Status);
        foreach (var (queue, key) in routes) await BindAsync(broker, queue, key);
        return broker;
    }

    private static async Task BindAsync(TestBroker broker, string queue, string key)
    {
        var handle = broker.Queue(queue) ?? await broker.DeclareAsync(queue);
        Assert.Equal(RoutingStatus.Ok, (await broker.Broker.Routing.BindAsync(Source, handle, key, [])).Status);
    }

    private static string? Route(TestBroker broker, string key, RecordHeaders headers = default)
    {
        var result = new RouteResult();
        Assert.True(broker.Broker.Routing.Resolve(Source, key, headers, result));
        return result.Queues.SingleOrDefault()?.Name.Name;
    }

    private static Dictionary<int, string> RouteMany(TestBroker broker, int count) => Enumerable.Range(0, count).ToDictionary(static n => n, n => Route(broker, $"key-{n}")!);

    [Fact]
    public async Task Weights_share_keys_out_and_a_route_that_comes_or_goes_moves_no_more_than_its_share()
    {
        await using var broker = await StartAsync(ExchangeTypes.ConsistentHash, ("a", "1"), ("b", "1"), ("c", "2"));
        var first = RouteMany(broker, 4000);
        var shares = first.Values.CountBy(static q => q).ToDictionary();
        Assert.InRange(shares["a"], 850, 1150);
        Assert.InRange(shares["b"], 850, 1150);
        Assert.InRange(shares["c"], 1800, 2200);
        await broker.RestartAsync();
        Assert.Equal(first, RouteMany(broker, 4000));
        await BindAsync(broker, "d", "1");
        var more = RouteMany(broker, 4000);
        Assert.All(first, pair => Assert.True(more[pair.Key] == pair.Value || more[pair.Key] == "d"));
        Assert.InRange(more.Values.Count(static q => q == "d"), 650, 950);
        await broker.Broker.Queues.DeleteAsync(broker.Queue("b"));
        var less = RouteMany(broker, 4000);
        Assert.All(more, pair => Assert.True(pair.Value == "b" || less[pair.Key] == pair.Value));
        Assert.DoesNotContain("b", less.Values);
    }

    [Theory]
    [InlineData("x", "The binding key must be an integer: <<\"x\">>")]
    [InlineData("0", "The binding key must be greater than 0")]
    [InlineData("100001", "The binding key must not exceed 100000")]
    public async Task A_key_that_is_no_weight_is_refused(string key, string problem)
    {
        await using var broker = await StartAsync(ExchangeTypes.ConsistentHash);
        var answer = await broker.Broker.Routing.BindAsync(Source, await broker.DeclareAsync("q"), key, []);
        Assert.Equal((RoutingStatus.Invalid, problem), (answer.Status, answer.Message));
    }

    [Fact]
    public async Task A_header_can_take_the_place_of_the_routing_key()
    {
        await using var broker = await TestBroker.StartAsync();
        var facet = new ExchangeFacet { Type = ExchangeTypes.ConsistentHash };
        await broker.Broker.Routing.DeclareAsync(Source, facet with { Attributes = facet.Attributes.Add(ExchangeTypes.HashOnAttribute, "customer") });
        for (var i = 0; i < 8; i++) await BindAsync(broker, $"q{i}", "1");
        var used = new HashSet<string>();
        for (var customer = 0; customer < 40; customer++)
        {
            var queue = Route(broker, "a", Headers("customer", $"{customer}"));
            Assert.Equal(queue, Route(broker, "b", Headers("customer", $"{customer}")));
            used.Add(queue!);
        }
        Assert.True(used.Count > 4);
        Assert.Equal(Route(broker, "a"), Route(broker, "b"));
    }

    [Fact]
    public async Task By_modulus_a_key_keeps_its_queue_and_all_queues_get_keys()
    {
        await using var broker = await StartAsync(ExchangeTypes.ModulusHash, ("b", ""), ("a", "x"), ("a", "y"), ("c", ""));
        var first = RouteMany(broker, 600);
        Assert.All(first.Values.CountBy(static q => q), static share => Assert.InRange(share.Value, 140, 260));
        await broker.RestartAsync();
        Assert.Equal(first, RouteMany(broker, 600));
    }

    [Theory]
    [InlineData(ExchangeTypes.Random)]
    [InlineData(ExchangeTypes.LocalRandom)]
    public async Task At_random_each_message_goes_to_one_queue_whatever_its_key(string type)
    {
        await using var broker = await StartAsync(type);
        Assert.Null(Route(broker, "k"));
        foreach (var queue in new[] { "a", "b", "c" }) await BindAsync(broker, queue, "");
        Assert.All(Enumerable.Range(0, 600).Select(_ => Route(broker, "k")!).CountBy(static q => q), static share => Assert.InRange(share.Value, 130, 270));
        var result = new RouteResult();
        broker.Broker.Routing.Resolve(Source, "k", default, result);
        Assert.True(result.Varies);
        result.Clear();
        Assert.False(result.Varies);
    }

    [Fact]
    public async Task What_a_log_keeps_takes_one_route_each_too()
    {
        await using var broker = await StartAsync(ExchangeTypes.Random, ("a", ""), ("b", ""));
        var topic = await broker.CreateTopicAsync("e");
        var batch = Dragoman.Broker.Messages.MessageBatch.Rent();
        for (var i = 0; i < 100; i++) batch.Add(new Dragoman.Broker.Messages.MessageProperties { Timestamp = broker.Now() }, default, "x"u8);
        await topic.Partitions[0].AppendAsync(batch.Build().ToArray(), default);
        batch.Dispose();
        for (var limit = DateTime.UtcNow.AddSeconds(20); ; await Task.Delay(2))
        {
            var counts = new[] { (await broker.Queue("a").GetCountsAsync()).Ready, (await broker.Queue("b").GetCountsAsync()).Ready };
            if (counts.Sum() == 100 && counts.All(static c => c is > 20 and < 80)) break;
            Assert.True(DateTime.UtcNow < limit, $"{counts[0]} and {counts[1]}");
        }
    }

    private static RecordHeaders Headers(string name, string value)
    {
        var writer = new RecordHeadersWriter();
        writer.Add(System.Text.Encoding.UTF8.GetBytes(name), System.Text.Encoding.UTF8.GetBytes(value));
        return writer.Headers;
    }
}
