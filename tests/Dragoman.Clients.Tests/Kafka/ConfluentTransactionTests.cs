using System.Globalization;
using System.Text;
using Confluent.Kafka;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Kafka;

[Uses<ConfluentKafka>]
public sealed class ConfluentTransactionTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    private static readonly (string, string) s_committed = ("isolation.level", "read_committed");
    private static readonly (string, string) s_uncommitted = ("isolation.level", "read_uncommitted");

    private async Task<TopicPartition> CreateAsync(int partitions = 1)
    {
        var topic = SharedBroker.Unique("t");
        (await broker.Server.RunAsync("topic", "create", topic, "--partitions", partitions.ToString(CultureInfo.InvariantCulture))).Succeeded();
        return new TopicPartition(topic, 0);
    }

    private static IProducer<byte[]?, byte[]?> Producer(string kafka, string id, params IEnumerable<(string, string)> settings)
    {
        var producer = ConfluentKafka.Producer(kafka, null, [("transactional.id", id), ("reconnect.backoff.max.ms", "200"), .. settings]);
        producer.InitTransactions(ConfluentKafka.Patience);
        return producer;
    }

    private static void Send(IProducer<byte[]?, byte[]?> producer, TopicPartition partition, params IEnumerable<string> texts)
    {
        foreach (var text in texts) producer.Produce(partition, new() { Value = Encoding.UTF8.GetBytes(text) });
    }

    // Handed to the broker, and still open.
    private static void SendNow(IProducer<byte[]?, byte[]?> producer, TopicPartition partition, params IEnumerable<string> texts)
    {
        Send(producer, partition, texts);
        Assert.Equal(0, producer.Flush(ConfluentKafka.Patience));
    }

    private static List<string> Read(string kafka, TopicPartition partition, (string, string) isolation) =>
        [.. ConfluentKafka.ReadAll(kafka, partition, 0, isolation).Select(GroupMember.Text)];

    private static IEnumerable<string> Texts(string name, int count) => Enumerable.Range(0, count).Select(i => $"{name}{i}");

    [Theory, Rows("K15", "K16")]
    [InlineData("none")]
    [InlineData("lz4")]
    public async Task What_is_committed_is_read_and_what_is_aborted_only_by_those_who_read_everything(string codec)
    {
        var partition = await CreateAsync();
        using var first = Producer(broker.Kafka, SharedBroker.Unique("x"), ("compression.type", codec));
        using var second = Producer(broker.Kafka, SharedBroker.Unique("x"), ("compression.type", codec));
        using var plain = ConfluentKafka.Producer(broker.Kafka, null, ("compression.type", codec));
        var (all, committed) = (new List<string>(), new List<string>());
        for (var round = 0; round < 12; round++)
        {
            var (a, b, c) = (Texts($"a{round}-", 10).ToList(), Texts($"b{round}-", 7).ToList(), Texts($"c{round}-", 3).ToList());
            first.BeginTransaction();
            second.BeginTransaction();
            // Between one another, so that the end of either cuts through the other's.
            SendNow(first, partition, a);
            SendNow(second, partition, b);
            SendNow(plain, partition, c);
            all.AddRange([.. a, .. b, .. c]);
            if (round % 2 == 0) committed.AddRange(a);
            if (round % 3 == 0) committed.AddRange(b);
            committed.AddRange(c);
            End(first, round % 2 == 0);
            End(second, round % 3 == 0);
        }
        Assert.Equal(all, Read(broker.Kafka, partition, s_uncommitted));
        Assert.Equal(committed, Read(broker.Kafka, partition, s_committed));
        // From anywhere, the middle of an aborted transaction included.
        foreach (var from in new[] { 1, 4, 24, 60, 133 })
        {
            var (some, rest) = (ConfluentKafka.ReadAll(broker.Kafka, partition, from, s_uncommitted), ConfluentKafka.ReadAll(broker.Kafka, partition, from, s_committed));
            Assert.Equal(some.Where(r => committed.Contains(GroupMember.Text(r))).Select(r => r.Offset), rest.Select(r => r.Offset));
        }

        static void End(IProducer<byte[]?, byte[]?> producer, bool commit)
        {
            if (commit) producer.CommitTransaction(ConfluentKafka.Patience);
            else producer.AbortTransaction(ConfluentKafka.Patience);
        }
    }

    [Fact, Rows("K16")]
    public async Task Those_who_read_what_is_committed_stop_before_an_open_transaction_and_go_on_when_it_ends()
    {
        var partition = await CreateAsync();
        using var open = Producer(broker.Kafka, SharedBroker.Unique("x"));
        using var plain = ConfluentKafka.Producer(broker.Kafka);
        SendNow(plain, partition, "before");
        open.BeginTransaction();
        SendNow(open, partition, "open");
        SendNow(plain, partition, "after");
        Assert.Equal(["before"], Read(broker.Kafka, partition, s_committed));
        Assert.Equal(["before", "open", "after"], Read(broker.Kafka, partition, s_uncommitted));
        using var reader = ConfluentKafka.Consumer(broker.Kafka, null, s_committed, ("enable.partition.eof", "false"));
        // Where a reader would have to wait its end is the last stable offset.
        Assert.Equal(1, reader.QueryWatermarkOffsets(partition, ConfluentKafka.Patience).High.Value);
        reader.Assign(new TopicPartitionOffset(partition, 1));
        Assert.Null(reader.Consume(TimeSpan.FromMilliseconds(300)));
        open.CommitTransaction(ConfluentKafka.Patience);
        Assert.Equal("open", GroupMember.Text(ConfluentKafka.Next(reader)));
        Assert.Equal("after", GroupMember.Text(ConfluentKafka.Next(reader)));
    }

    [Fact, Rows("K15")]
    public async Task A_transaction_over_many_partitions_is_seen_as_a_whole_or_not_at_all()
    {
        const int Partitions = 20;
        var topic = (await CreateAsync(Partitions)).Topic;
        using var producer = Producer(broker.Kafka, SharedBroker.Unique("x"));
        for (var round = 0; round < 4; round++)
        {
            producer.BeginTransaction();
            for (var p = 0; p < Partitions; p++) Send(producer, new(topic, p), $"{round}");
            if (round % 2 == 0) producer.CommitTransaction(ConfluentKafka.Patience);
            else producer.AbortTransaction(ConfluentKafka.Patience);
        }
        using var consumer = ConfluentKafka.Consumer(broker.Kafka, null, s_committed);
        consumer.Assign(Enumerable.Range(0, Partitions).Select(p => new TopicPartitionOffset(topic, p, 0)));
        var read = ConfluentKafka.ReadToEnd(consumer);
        Assert.Equal(2 * Partitions, read.Count);
        Assert.All(read.GroupBy(r => r.Partition), p => Assert.Equal(["0", "2"], p.Select(GroupMember.Text)));
    }

    [Fact, Rows("K15")]
    public async Task A_zombie_is_fenced_by_its_successor_and_what_it_had_begun_is_aborted()
    {
        var partition = await CreateAsync();
        var id = SharedBroker.Unique("x");
        using var zombie = Producer(broker.Kafka, id);
        zombie.BeginTransaction();
        SendNow(zombie, partition, "zombie");
        using var successor = Producer(broker.Kafka, id);
        successor.BeginTransaction();
        SendNow(successor, partition, "successor");
        successor.CommitTransaction(ConfluentKafka.Patience);
        var refused = Assert.Throws<KafkaException>(() => zombie.CommitTransaction(ConfluentKafka.Patience));
        Assert.True(refused.Error.IsFatal, refused.Error.ToString());
        Assert.Contains(refused.Error.Code, new[] { ErrorCode.Local_Fenced, ErrorCode.ProducerFenced, ErrorCode.InvalidProducerEpoch });
        Assert.Equal(["successor"], Read(broker.Kafka, partition, s_committed));
        Assert.Equal(["zombie", "successor"], Read(broker.Kafka, partition, s_uncommitted));
        // It stays so: the next transaction is as good as the first.
        successor.BeginTransaction();
        SendNow(successor, partition, "again");
        successor.CommitTransaction(ConfluentKafka.Patience);
        Assert.Equal(["successor", "again"], Read(broker.Kafka, partition, s_committed));
    }

    [Fact, Rows("K15")]
    public async Task A_transaction_that_is_open_for_too_long_is_aborted_and_holds_nobody_up()
    {
        var partition = await CreateAsync();
        using var slow = Producer(broker.Kafka, SharedBroker.Unique("x"), ("transaction.timeout.ms", "1000"), ("message.timeout.ms", "1000"));
        slow.BeginTransaction();
        SendNow(slow, partition, "slow");
        using (var plain = ConfluentKafka.Producer(broker.Kafka)) SendNow(plain, partition, "behind");
        await Eventually.TrueAsync(() => Read(broker.Kafka, partition, s_committed) is ["behind"], "what is behind the transaction is read");
        var refused = Assert.ThrowsAny<KafkaException>(() => slow.CommitTransaction(ConfluentKafka.Patience));
        Assert.True(refused is KafkaTxnRequiresAbortException || refused.Error.IsFatal, refused.Error.ToString());
        Assert.Equal(["behind"], Read(broker.Kafka, partition, s_committed));
    }

    [Fact, Rows("K15")]
    public void A_time_out_above_the_maximum_is_refused()
    {
        using var producer = ConfluentKafka.Producer(broker.Kafka, null, ("transactional.id", SharedBroker.Unique("x")), ("transaction.timeout.ms", "900001"));
        var refused = Assert.Throws<KafkaException>(() => producer.InitTransactions(ConfluentKafka.Patience));
        Assert.Equal((ErrorCode.InvalidTransactionTimeout, true), (refused.Error.Code, refused.Error.IsFatal));
    }

    [Theory, Rows("K12", "K15")]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Offsets_of_a_group_are_committed_with_the_transaction_or_not_at_all(bool commit)
    {
        var (input, output) = (await CreateAsync(), await CreateAsync());
        var group = SharedBroker.Unique("g");
        using (var plain = ConfluentKafka.Producer(broker.Kafka)) SendNow(plain, input, Texts("in", 10));
        using var consumer = Subscribe(group, input.Topic);
        for (var i = 0; i < 5; i++) Assert.Equal($"in{i}", GroupMember.Text(ConfluentKafka.Next(consumer)));
        using var producer = Producer(broker.Kafka, SharedBroker.Unique("x"));
        producer.BeginTransaction();
        Send(producer, output, Texts("out", 5));
        producer.SendOffsetsToTransaction([new TopicPartitionOffset(input, 5)], consumer.ConsumerGroupMetadata, ConfluentKafka.Patience);
        using var other = ConfluentKafka.Consumer(broker.Kafka, null, ("group.id", group), s_committed);
        // Until it is known how the transaction ends nobody is told where the group is: clients ask again (KIP-447).
        Assert.ThrowsAny<KafkaException>(() => other.Committed([input], TimeSpan.FromMilliseconds(700)));
        if (commit) producer.CommitTransaction(ConfluentKafka.Patience);
        else producer.AbortTransaction(ConfluentKafka.Patience);
        Assert.Equal(commit ? 5 : Offset.Unset.Value, Assert.Single(other.Committed([input], ConfluentKafka.Patience)).Offset.Value);
        Assert.Equal(commit ? Texts("out", 5) : [], Read(broker.Kafka, output, s_committed));
        consumer.Close();
    }

    [Theory, Rows("K11", "K13", "K15")]
    [InlineData("range")]
    [InlineData("consumer")]
    public async Task Offsets_from_before_a_rebalance_are_refused_and_the_transaction_can_be_aborted(string kind)
    {
        var input = await CreateAsync(2);
        var group = SharedBroker.Unique("g");
        using var consumer = Subscribe(group, input.Topic, GroupMember.Kinds[kind]);
        await Eventually.TrueAsync(
            () =>
            {
                consumer.Consume(TimeSpan.FromMilliseconds(50));
                return consumer.Assignment.Count == 2;
            }, "the member has its share");
        var before = consumer.ConsumerGroupMetadata;
        consumer.Close();
        await using var next = GroupMember.Start(broker.Kafka, group, input.Topic, null, GroupMember.Kinds[kind]);
        await GroupMember.SharedOutAsync(2, next);
        using var producer = Producer(broker.Kafka, SharedBroker.Unique("x"));
        producer.BeginTransaction();
        var refused = Assert.ThrowsAny<KafkaException>(() => producer.SendOffsetsToTransaction([new TopicPartitionOffset(input, 1)], before, ConfluentKafka.Patience));
        Assert.False(refused.Error.IsFatal, refused.Error.ToString());
        producer.AbortTransaction(ConfluentKafka.Patience);
        // It is the group that moved on; the producer is as good as before.
        producer.BeginTransaction();
        SendNow(producer, input, "on");
        producer.CommitTransaction(ConfluentKafka.Patience);
        Assert.Equal(["on"], Read(broker.Kafka, input, s_committed));
    }

    private IConsumer<byte[]?, byte[]?> Subscribe(string group, string topic, params IEnumerable<(string, string)> settings)
    {
        var consumer = ConfluentKafka.Consumer(broker.Kafka, null, [("group.id", group), ("auto.offset.reset", "earliest"), ("enable.partition.eof", "false"), .. settings]);
        consumer.Subscribe(topic);
        return consumer;
    }

    [Theory, Rows("K15", "K16")]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_transaction_goes_on_over_a_restart_of_the_broker(bool kill)
    {
        await using var server = await DragomanServer.StartAsync();
        var kafka = server.Address("kafka");
        var partition = new TopicPartition("t", 0);
        (await server.RunAsync("topic", "create", "t")).Succeeded();
        using var producer = Producer(kafka, "x");
        using var aborting = Producer(kafka, "y");
        foreach (var (each, name) in new[] { (producer, "kept"), (aborting, "dropped") })
        {
            each.BeginTransaction();
            SendNow(each, partition, Texts($"{name}-before", 20));
        }
        if (kill) await server.KillAsync();
        else Assert.Equal(0, await server.StopAsync());
        await server.StartAgainAsync();
        // Nothing of what is open is seen, and it is still open.
        Assert.Empty(Read(kafka, partition, s_committed));
        SendNow(producer, partition, Texts("kept-after", 20));
        SendNow(aborting, partition, Texts("dropped-after", 20));
        producer.CommitTransaction(ConfluentKafka.Patience);
        aborting.AbortTransaction(ConfluentKafka.Patience);
        if (kill) await server.KillAsync();
        else Assert.Equal(0, await server.StopAsync());
        await server.StartAgainAsync();
        Assert.Equal([.. Texts("kept-before", 20), .. Texts("kept-after", 20)], Read(kafka, partition, s_committed));
        Assert.Equal(80, Read(kafka, partition, s_uncommitted).Count);
    }
}
