using System.Text.Json;
using CsCheck;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Parameters;
using Dragoman.Broker.Policies;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Subscriptions;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Tests.Queues;

/// <summary>Policies on queues and exchanges that are there, that come, and when they go.</summary>
[Trait("Row", "R24")]
public sealed class PolicyTests
{
    private static async Task<ParameterAnswer> SetAsync(TestBroker broker, string name, string value, bool isOperator = false)
    {
        using var document = JsonDocument.Parse(value);
        return await broker.Broker.Policies.SetAsync(NamespaceName.Default, isOperator, name, document.RootElement.Clone());
    }

    private static async Task PutAsync(TestBroker broker, string name, string pattern, string definition, string more = "", bool isOperator = false) =>
        Assert.Equal(new ParameterAnswer(ParameterStatus.Ok), await SetAsync(broker, name, $"{{\"pattern\":\"{pattern}\",\"definition\":{definition}{more}}}", isOperator));

    private static async Task DropAsync(TestBroker broker, string name, bool isOperator = false) =>
        Assert.Equal(ParameterStatus.Ok, (await broker.Broker.Policies.RemoveAsync(NamespaceName.Default, isOperator, name)).Status);

    [Fact]
    public async Task A_policy_applies_at_once_to_what_is_there_and_to_what_comes_and_its_end_restores()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("tasks.a");
        var other = await broker.DeclareAsync("other");
        await broker.SendAsync(queue, "1", "2", "3");
        await PutAsync(broker, "p", "^tasks", """{"max-length":2}""");
        await queue.UntilAsync(c => c.Ready == 2);
        var late = await broker.DeclareAsync("tasks.b", QueueSettings.Default with { IsDurable = false });
        Assert.Equal((2, 2, -1), (queue.Settings.MaxLength, late.Settings.MaxLength, other.Settings.MaxLength));
        Assert.Equal(-1, queue.Declared.MaxLength);
        Assert.Equal("p", broker.Broker.Policies.Match(queue).Policy?.Name);
        await broker.Broker.Store.CheckpointAsync();
        await broker.RestartAsync();
        queue = broker.Queue("tasks.a");
        Assert.Equal(2, queue.Settings.MaxLength);
        Assert.Equal(["2", "3"], await queue.TakeTextsAsync());
        await DropAsync(broker, "p");
        Assert.Equal(-1, queue.Settings.MaxLength);
        Assert.Null(broker.Broker.Policies.Match(queue).Policy);
        await broker.RestartAsync();
        Assert.Equal(-1, broker.Queue("tasks.a").Settings.MaxLength);
    }

    [Fact]
    public async Task A_lifetime_set_by_policy_holds_for_messages_that_wait_already()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q", SubscriptionSettings.Default with { Expiry = ExpiryScope.Head });
        var dead = await broker.DeclareAsync("dead");
        await broker.SendAsync(queue, "a");
        broker.Time.Advance(TimeSpan.FromMilliseconds(600));
        await broker.SendAsync(queue, "b");
        await PutAsync(broker, "p", "^q$", """{"message-ttl":1000,"dead-letter-exchange":"","dead-letter-routing-key":"dead"}""");
        broker.Time.Advance(TimeSpan.FromMilliseconds(500));
        await dead.UntilAsync(c => c.Ready == 1);
        broker.Time.Advance(TimeSpan.FromMilliseconds(600));
        await dead.UntilAsync(c => c.Ready == 2);
        Assert.Equal(["a", "b"], await dead.TakeTextsAsync());
        await queue.ConservedAsync();
    }

    [Fact]
    public async Task A_queue_expires_by_policy_from_when_the_policy_is_set()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q");
        broker.Time.Advance(TimeSpan.FromHours(1));
        await PutAsync(broker, "p", "q", """{"expires":1000}""");
        broker.Time.Advance(TimeSpan.FromMilliseconds(900));
        Assert.False(queue.IsDeleted);
        broker.Time.Advance(TimeSpan.FromMilliseconds(200));
        for (var limit = DateTime.UtcNow.AddSeconds(20); !queue.IsDeleted; await Task.Delay(2)) Assert.True(DateTime.UtcNow < limit);
    }

    [Fact]
    public async Task Of_policies_that_match_the_highest_priority_applies_and_operators_limit_it()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q", QueueSettings.Default with { MaxLengthBytes = 500 });
        await PutAsync(broker, "low", "q", """{"max-length":1,"max-length-bytes":7}""");
        await PutAsync(broker, "high", "q", """{"max-length":100,"max-length-bytes":1000,"overflow":"reject-publish"}""", ",\"priority\":5");
        Assert.Equal((100, 500, Overflow.Reject), (queue.Settings.MaxLength, queue.Settings.MaxLengthBytes, queue.Settings.Overflow));
        await PutAsync(broker, "op", "q", """{"max-length":10,"message-ttl":60000}""", isOperator: true);
        Assert.Equal((10, 60_000), (queue.Settings.MaxLength, queue.Settings.Subscription.MessageLifetimeMs));
        var match = broker.Broker.Policies.Match(queue);
        Assert.Equal(("high", "op"), (match.Policy?.Name, match.Operator?.Name));
        Assert.Equal(["max-length", "max-length-bytes", "message-ttl", "overflow"], match.Definition.Keys);
        await PutAsync(broker, "op", "q", """{"max-length":1000}""", isOperator: true);
        Assert.Equal((100, -1), (queue.Settings.MaxLength, queue.Settings.Subscription.MessageLifetimeMs));
        await DropAsync(broker, "high");
        Assert.Equal((1, 7), (queue.Settings.MaxLength, queue.Settings.MaxLengthBytes));
    }

    [Fact]
    public async Task A_policy_is_for_the_kinds_it_names_and_not_for_those_that_do_not_take_all_of_it()
    {
        await using var broker = await TestBroker.StartAsync();
        var classic = await broker.DeclareAsync("classic");
        var quorum = await broker.DeclareAsync("quorum", QueueSettings.Default with { Kind = QueueKind.Quorum, Subscription = SubscriptionSettings.Default with { MaxDeliveries = 21 } });
        var stream = await broker.DeclareAsync("stream", QueueSettings.Default with { Kind = QueueKind.Stream, Retention = new(-1, -1) });
        await PutAsync(broker, "p", ".*", """{"delivery-limit":3,"max-length":5}""");
        Assert.Equal((-1, -1), (classic.Settings.Subscription.MaxDeliveries, classic.Settings.MaxLength));
        Assert.Equal((4, 5), (quorum.Settings.Subscription.MaxDeliveries, quorum.Settings.MaxLength));
        await PutAsync(broker, "p", ".*", """{"max-length-bytes":5}""", ",\"apply-to\":\"streams\"");
        Assert.Equal((-1, -1, 5), (classic.Settings.MaxLengthBytes, quorum.Settings.MaxLengthBytes, stream.Settings.Retention!.MaxBytes));
        await PutAsync(broker, "p", ".*", """{"max-age":"1h"}""", ",\"apply-to\":\"queues\"");
        Assert.Equal(3_600_000, stream.Settings.Retention!.MaxAgeMs);
        await PutAsync(broker, "p", ".*", """{"max-length":5}""", ",\"apply-to\":\"classic_queues\"");
        Assert.Equal((5, -1), (classic.Settings.MaxLength, quorum.Settings.MaxLength));
        await PutAsync(broker, "p", ".*", """{"alternate-exchange":"x"}""", ",\"apply-to\":\"exchanges\"");
        Assert.Equal(-1, classic.Settings.MaxLength);
    }

    [Fact]
    public async Task What_was_declared_wins_where_there_is_no_lower()
    {
        await using var broker = await TestBroker.StartAsync();
        var declared = QueueSettings.Default with
        {
            Overflow = Overflow.DropHead,
            Explicit = ExplicitSettings.Overflow | ExplicitSettings.DeliveryLimit,
            Subscription = SubscriptionSettings.Default with { DeadLetter = new DeadLetterTarget(null, "mine", null), MessageLifetimeMs = 100 },
        };
        var queue = await broker.DeclareAsync("q", declared);
        await PutAsync(broker, "p", "q", """{"overflow":"reject-publish","dead-letter-exchange":"theirs","dead-letter-routing-key":"k","message-ttl":200,"consumer-timeout":5000}""");
        Assert.Equal(Overflow.DropHead, queue.Settings.Overflow);
        Assert.Equal(new DeadLetterTarget(null, "mine", "k"), queue.Settings.Subscription.DeadLetter);
        Assert.Equal((100, 5000), (queue.Settings.Subscription.MessageLifetimeMs, queue.Settings.ConsumerTimeoutMs));
        // A change of what was declared shows through the policy.
        await broker.Broker.Queues.ChangeSettingsAsync(queue, s => s with { Subscription = s.Subscription with { MessageLifetimeMs = -1 } });
        Assert.Equal((200, -1), (queue.Settings.Subscription.MessageLifetimeMs, queue.Declared.Subscription.MessageLifetimeMs));
    }

    [Fact]
    public async Task An_alternate_exchange_by_policy_takes_what_no_route_takes()
    {
        await using var broker = await TestBroker.StartAsync();
        var queue = await broker.DeclareAsync("q");
        var routing = broker.Broker.Routing;
        await routing.DeclareAsync(TopicName.InDefault("e"), new ExchangeFacet { Type = ExchangeTypes.Direct });
        await routing.DeclareAsync(TopicName.InDefault("rest"), new ExchangeFacet());
        await routing.BindAsync(TopicName.InDefault("rest"), queue, "", []);
        Assert.Empty(Resolve("e"));
        var version = routing.Version;
        await PutAsync(broker, "p", "^e$", """{"alternate-exchange":"rest"}""");
        Assert.NotEqual(version, routing.Version);
        Assert.Equal([queue], Resolve("e"));
        Assert.Equal("p", broker.Broker.Policies.Match(TopicName.InDefault("e")).Policy?.Name);
        await PutAsync(broker, "q", "^amq", """{"alternate-exchange":"rest"}""");
        Assert.Equal([queue], Resolve("amq.direct"));
        await DropAsync(broker, "p");
        Assert.Empty(Resolve("e"));

        IReadOnlyList<IQueueHandle> Resolve(string exchange)
        {
            var result = new RouteResult();
            Assert.True(routing.Resolve(TopicName.InDefault(exchange), "k", default, result));
            return result.Queues;
        }
    }

    [Theory]
    [InlineData("""{"definition":{"max-length":1}}""", "Key \"pattern\" not found in p")]
    [InlineData("""{"pattern":"a"}""", "Key \"definition\" not found in p")]
    [InlineData("""{"pattern":"a","definition":{}}""", "no policy provided")]
    [InlineData("""{"pattern":"a","definition":{"max-length":-1}}""", "-1 is not a valid maximum length")]
    [InlineData("""{"pattern":"a","definition":{"message-ttl":"x"}}""", "<<\"x\">> is not a valid message TTL")]
    [InlineData("""{"pattern":"a","definition":{"max-age":"1x"}}""", "<<\"1x\">> is not a valid max age")]
    [InlineData("""{"pattern":"a","definition":{"nonsense":1}}""", "[{<<\"nonsense\">>,1}] are not recognised policy settings")]
    [InlineData("""{"pattern":"a","definition":{"max-length":1},"priority":"x"}""", "priority should be a number, actually was <<\"x\">>")]
    [InlineData("""{"pattern":"a","definition":{"max-length":1},"apply-to":"cats"}""", "apply-to 'cats' unrecognised; should be one of: 'queues', 'classic_queues',  'quorum_queues', 'streams', 'exchanges', or 'all'")]
    [InlineData("""{"pattern":"a","definition":{"delayed-retry-type":"all"}}""", "delayed-retry-min is required when delayed-retry-type is all")]
    public async Task What_is_wrong_is_said_in_RabbitMQs_words(string value, string problem)
    {
        await using var broker = await TestBroker.StartAsync();
        Assert.Equal(new ParameterAnswer(ParameterStatus.Invalid, $"Validation failed\n\n{problem}\n"), await SetAsync(broker, "p", value));
    }

    [Fact]
    public async Task Operators_may_limit_and_no_more_and_a_pattern_must_be_one()
    {
        await using var broker = await TestBroker.StartAsync();
        var answer = await SetAsync(broker, "p", """{"pattern":"a","definition":{"dead-letter-exchange":"x"}}""", isOperator: true);
        Assert.Equal("Validation failed\n\n[{<<\"dead-letter-exchange\">>,<<\"x\">>}] are not recognised policy settings\n", answer.Message);
        answer = await SetAsync(broker, "p", """{"pattern":"(","definition":{"max-length":1}}""");
        Assert.StartsWith("Validation failed\n\npattern should be regular expression but is invalid: ", answer.Message, StringComparison.Ordinal);
    }

    [Fact]
    public Task Whatever_policies_come_and_go_settings_are_those_of_a_queue_declared_under_the_last_ones() =>
        Gen.Select(Gen.Int[-1, 50], Gen.Select(Gen.Int[0, 2], Gen.Int[0, 50], Gen.Bool, Gen.Bool).Array[1, 8]).SampleAsync(
            async (declared, acts) =>
            {
                await using var broker = await TestBroker.StartAsync();
                var settings = QueueSettings.Default with { MaxLength = declared };
                var early = await broker.DeclareAsync("q1", settings);
                foreach (var (name, limit, isOperator, isGone) in acts)
                {
                    if (isGone) await broker.Broker.Policies.RemoveAsync(NamespaceName.Default, isOperator, $"p{name}");
                    else await PutAsync(broker, $"p{name}", "^q", $"{{\"max-length\":{limit}}}", $",\"priority\":{name}", isOperator);
                }
                var late = await broker.DeclareAsync("q2", settings);
                Assert.Equal(late.Settings.MaxLength, early.Settings.MaxLength);
                var user = Last(false);
                var operators = Last(true);
                long[] limits = [.. new long[] { declared, user, operators }.Where(static l => l >= 0)];
                Assert.Equal(limits.Length == 0 ? -1 : limits.Min(), early.Settings.MaxLength);
                await broker.RestartAsync();
                Assert.Equal(late.Settings.MaxLength, broker.Queue("q1").Settings.MaxLength);

                long Last(bool ofOperators)
                {
                    var all = new SortedDictionary<int, int>();
                    foreach (var (name, limit, isOperator, isGone) in acts)
                    {
                        if (isOperator != ofOperators) continue;
                        if (isGone) all.Remove(name);
                        else all[name] = limit;
                    }
                    return all.Count == 0 ? -1 : all.Last().Value;
                }
            },
            iter: 20, threads: 1);
}
