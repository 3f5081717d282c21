using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Kafka;

[Uses<ConfluentKafka>]
public sealed class ConfluentGroupTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    public static TheoryData<string> Kinds => [.. GroupMember.Kinds.Keys];

    private async Task<string> CreateAsync(int partitions)
    {
        var topic = SharedBroker.Unique("t");
        (await broker.Server.RunAsync("topic", "create", topic, "--partitions", partitions.ToString(CultureInfo.InvariantCulture))).Succeeded();
        return topic;
    }

    private void Fill(string topic, int partitions, int from, int count)
    {
        using var producer = ConfluentKafka.Producer(broker.Kafka);
        for (var i = from; i < from + count; i++) producer.Produce(new TopicPartition(topic, i % partitions), new() { Value = Encoding.UTF8.GetBytes($"{i}") });
        producer.Flush(ConfluentKafka.Patience);
    }

    private Dictionary<TopicPartition, long> Committed(string group, string topic, int partitions)
    {
        using var consumer = ConfluentKafka.Consumer(broker.Kafka, null, ("group.id", group));
        var committed = consumer.Committed([.. Enumerable.Range(0, partitions).Select(p => new TopicPartition(topic, p))], ConfluentKafka.Patience);
        return committed.ToDictionary(c => c.TopicPartition, c => c.Offset.Value);
    }

    [Theory, MemberData(nameof(Kinds))]
    [Rows("K11", "K12", "K13")]
    public async Task Members_come_go_and_die_and_every_message_is_read_in_order(string kind)
    {
        const int Partitions = 6;
        const int Messages = 3_000;
        var topic = await CreateAsync(Partitions);
        var group = SharedBroker.Unique("g");
        var random = new Random(7);
        var read = new ConcurrentDictionary<int, int>();
        var last = new ConcurrentDictionary<TopicPartition, long>();
        void Read(ConsumeResult<byte[]?, byte[]?> result)
        {
            read.AddOrUpdate(int.Parse(GroupMember.Text(result), CultureInfo.InvariantCulture), 1, (_, n) => n + 1);
            // After a rebalance what was not committed comes again; nothing is ever skipped.
            last.AddOrUpdate(result.TopicPartition, result.Offset.Value, (_, offset) =>
            {
                Assert.True(result.Offset.Value <= offset + 1, $"{result.TopicPartitionOffset} came after {offset}");
                return Math.Max(offset, result.Offset.Value);
            });
        }
        GroupMember NewMember() => GroupMember.Start(broker.Kafka, group, topic, Read, [.. GroupMember.Kinds[kind], .. kind == "consumer" ? (IEnumerable<(string, string)>)[] : [("session.timeout.ms", "6000")]]);

        var members = new List<GroupMember> { NewMember() };
        for (var sent = 0; sent < Messages; sent += 300)
        {
            Fill(topic, Partitions, sent, 300);
            if (members.Count < 2 || random.Next(3) > 0) members.Add(NewMember());
            else
            {
                var leaving = members[random.Next(members.Count)];
                members.Remove(leaving);
                await leaving.DisposeAsync();
            }
            await Task.Delay(100);
        }
        if (kind != "consumer")
        {
            var dying = members[0];
            members.Remove(dying);
            await dying.VanishAsync();
        }
        await Eventually.TrueAsync(() => read.Count == Messages, $"{Messages} messages are read, not {read.Count}", TimeSpan.FromSeconds(90));
        await GroupMember.SharedOutAsync(Partitions, [.. members]);
        await Eventually.TrueAsync(() => Committed(group, topic, Partitions).Values.All(o => o == Messages / Partitions), "all is committed");
        Assert.All(members, m => Assert.True(m.IsRunning));
        foreach (var member in members) await member.DisposeAsync();
    }

    [Theory, MemberData(nameof(Kinds))]
    [Rows("K11", "K13")]
    public async Task A_second_member_gets_its_half_and_gives_it_back_when_it_leaves(string kind)
    {
        var topic = await CreateAsync(6);
        var group = SharedBroker.Unique("g");
        await using var first = GroupMember.Start(broker.Kafka, group, topic, null, GroupMember.Kinds[kind]);
        await GroupMember.SharedOutAsync(6, first);
        await using (var second = GroupMember.Start(broker.Kafka, group, topic, null, GroupMember.Kinds[kind]))
        {
            await GroupMember.SharedOutAsync(6, first, second);
            Assert.Equal(3, first.Assigned.Count);
            // Where members need not give all up, they give what they must.
            Assert.Equal(kind == "range" ? 6 : 3, first.Revocations.Last().Length);
        }
        await GroupMember.SharedOutAsync(6, first);
        Assert.Empty(first.Losses);
    }

    [Theory, MemberData(nameof(Kinds))]
    [Rows("K11", "K13")]
    public async Task A_static_member_that_comes_back_has_its_share_again_and_disturbs_nobody(string kind)
    {
        var topic = await CreateAsync(4);
        var group = SharedBroker.Unique("g");
        await using var other = GroupMember.Start(broker.Kafka, group, topic, null, [.. GroupMember.Kinds[kind], ("group.instance.id", "other")]);
        var own = GroupMember.Start(broker.Kafka, group, topic, null, [.. GroupMember.Kinds[kind], ("group.instance.id", "own")]);
        await GroupMember.SharedOutAsync(4, other, own);
        var (had, others, revocations) = (own.Assigned.ToHashSet(), other.Assigned.ToHashSet(), other.Revocations.Count);
        await own.DisposeAsync();
        await using var back = GroupMember.Start(broker.Kafka, group, topic, null, [.. GroupMember.Kinds[kind], ("group.instance.id", "own")]);
        await Eventually.TrueAsync(() => had.SetEquals(back.Assigned), "the share is as before");
        Assert.Equal(others, other.Assigned.ToHashSet());
        Assert.Equal(revocations, other.Revocations.Count);
    }

    [Theory]
    [InlineData("range", ErrorCode.FencedInstanceId)]
    [InlineData("consumer", ErrorCode.UnreleasedInstanceId)]
    [Rows("K11", "K13")]
    public async Task Of_two_members_with_one_instance_id_one_is_refused(string kind, ErrorCode expected)
    {
        var topic = await CreateAsync(2);
        var group = SharedBroker.Unique("g");
        var first = GroupMember.Start(broker.Kafka, group, topic, null, [.. GroupMember.Kinds[kind], ("group.instance.id", "one")]);
        await GroupMember.SharedOutAsync(2, first);
        var second = GroupMember.Start(broker.Kafka, group, topic, null, [.. GroupMember.Kinds[kind], ("group.instance.id", "one")]);
        var refused = kind == "range" ? first : second;
        await Eventually.TrueAsync(() => refused.Errors.Any(e => e.Code == expected) || !refused.IsRunning, $"one is refused with {expected}");
        await Task.WhenAny(Quietly(first), Task.Delay(ConfluentKafka.Patience));
        await Task.WhenAny(Quietly(second), Task.Delay(ConfluentKafka.Patience));

        static async Task Quietly(GroupMember member)
        {
            try
            {
                await member.DisposeAsync();
            }
            catch (KafkaException error)
            {
                Assert.True(error.Error.IsFatal, error.Error.ToString());
            }
        }
    }

    [Theory, MemberData(nameof(Kinds))]
    [Rows("K11", "K13")]
    public async Task New_topics_and_partitions_are_given_to_members_that_subscribe_to_a_pattern(string kind)
    {
        var prefix = SharedBroker.Unique("p");
        (await broker.Server.RunAsync("topic", "create", $"{prefix}-1", "--partitions", "2")).Succeeded();
        (await broker.Server.RunAsync("topic", "create", $"x-{prefix}", "--partitions", "2")).Succeeded();
        await using var member = GroupMember.Start(
            broker.Kafka, SharedBroker.Unique("g"), $"^{prefix}-[0-9]+$", null, [.. GroupMember.Kinds[kind], ("topic.metadata.refresh.interval.ms", "500")]);
        await GroupMember.SharedOutAsync(2, member);
        (await broker.Server.RunAsync("topic", "create", $"{prefix}-22", "--partitions", "3")).Succeeded();
        await GroupMember.SharedOutAsync(5, member);
        (await broker.Server.RunAsync("topic", "alter", $"{prefix}-1", "--partitions", "4")).Succeeded();
        await GroupMember.SharedOutAsync(7, member);
        (await broker.Server.RunAsync("topic", "delete", $"{prefix}-22")).Succeeded();
        await GroupMember.SharedOutAsync(4, member);
    }

    [Theory, MemberData(nameof(Kinds))]
    [Rows("K11", "K12", "K13")]
    public async Task A_group_goes_on_where_it_was_when_the_broker_is_killed(string kind)
    {
        await using var server = await DragomanServer.StartAsync();
        var kafka = server.Address("kafka");
        (await server.RunAsync("topic", "create", "t", "--partitions", "4")).Succeeded();
        var read = new ConcurrentDictionary<string, int>();
        GroupMember NewMember() => GroupMember.Start(kafka, "g", "t", r => read.AddOrUpdate(GroupMember.Text(r), 1, (_, n) => n + 1), [.. GroupMember.Kinds[kind], ("reconnect.backoff.max.ms", "500")]);
        void Send(string name)
        {
            using var producer = ConfluentKafka.Producer(kafka);
            for (var i = 0; i < 100; i++) producer.Produce(new TopicPartition("t", i % 4), new() { Value = Encoding.UTF8.GetBytes($"{name}{i}") });
            producer.Flush(ConfluentKafka.Patience);
        }
        var members = new[] { NewMember(), NewMember() };
        await GroupMember.SharedOutAsync(4, members);
        Send("before");
        await Eventually.TrueAsync(() => read.Count == 100, "all is read");
        using (var consumer = ConfluentKafka.Consumer(kafka, null, ("group.id", "g")))
        {
            await Eventually.TrueAsync(
                () => consumer.Committed([.. Enumerable.Range(0, 4).Select(p => new TopicPartition("t", p))], ConfluentKafka.Patience).All(c => c.Offset.Value == 25), "all is committed");
        }
        var assignments = members.Sum(m => m.Assignments.Count);
        await server.KillAsync();
        await server.StartAgainAsync();
        Send("after");
        await Eventually.TrueAsync(() => read.Count == 200, "what came after is read", TimeSpan.FromSeconds(60));
        // Nothing is read twice: what was committed stays committed, and the members are those of before.
        Assert.All(read, r => Assert.Equal(1, r.Value));
        Assert.Equal(assignments, members.Sum(m => m.Assignments.Count));
        foreach (var member in members) await member.DisposeAsync();
    }

    [Fact, Rows("K12")]
    public async Task Offsets_come_back_with_their_epoch_and_none_is_none()
    {
        var topic = await CreateAsync(3);
        Fill(topic, 3, 0, 30);
        var group = SharedBroker.Unique("g");
        using var consumer = ConfluentKafka.Consumer(broker.Kafka, null, ("group.id", group), ("auto.offset.reset", "earliest"));
        consumer.Assign(new TopicPartitionOffset(topic, 0, Offset.Beginning));
        var message = ConfluentKafka.Next(consumer);
        consumer.Commit([new TopicPartitionOffset(message.TopicPartition, message.Offset + 1, message.LeaderEpoch), new TopicPartitionOffset(topic, 1, 7)]);
        var committed = consumer.Committed([new TopicPartition(topic, 0), new TopicPartition(topic, 1), new TopicPartition(topic, 2)], ConfluentKafka.Patience);
        Assert.NotNull(message.LeaderEpoch);
        Assert.Equal((1, message.LeaderEpoch), (committed[0].Offset.Value, committed[0].LeaderEpoch));
        Assert.Equal(7, committed[1].Offset.Value);
        Assert.Equal(Offset.Unset, committed[2].Offset);
    }

    [Fact, Rows("K13")]
    public async Task A_group_is_upgraded_to_the_new_protocol_member_by_member_and_loses_nothing()
    {
        const int Partitions = 4;
        var topic = await CreateAsync(Partitions);
        var group = SharedBroker.Unique("g");
        var read = new ConcurrentDictionary<int, int>();
        GroupMember NewMember(string kind) => GroupMember.Start(
            broker.Kafka, group, topic, r => read.AddOrUpdate(int.Parse(GroupMember.Text(r), CultureInfo.InvariantCulture), 1, (_, n) => n + 1), GroupMember.Kinds[kind]);
        var members = new List<GroupMember> { NewMember("cooperative-sticky"), NewMember("cooperative-sticky") };
        await GroupMember.SharedOutAsync(Partitions, [.. members]);
        Fill(topic, Partitions, 0, 100);
        foreach (var old in members.ToList())
        {
            members.Add(NewMember("consumer"));
            await GroupMember.SharedOutAsync(Partitions, [.. members]);
            await old.DisposeAsync();
            members.Remove(old);
            await GroupMember.SharedOutAsync(Partitions, [.. members]);
        }
        Fill(topic, Partitions, 100, 100);
        await Eventually.TrueAsync(() => read.Count == 200, "all is read");
        foreach (var member in members) await member.DisposeAsync();
    }
}
