using System.Collections.Concurrent;
using System.Reflection;
using System.Text;
using Dragoman.Broker.Channels;
using Dragoman.Broker.Tests.Queues;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;
using Microsoft.Extensions.Time.Testing;

namespace Dragoman.Broker.Tests.Channels;

/// <summary>Following a log for those who listen to its channel.</summary>
public sealed class ChannelTailTests
{
    [Fact]
    public async Task What_could_not_be_read_is_said_once_and_heard_later_although_nothing_more_is_published()
    {
        await using var broker = await TestBroker.StartAsync();
        var topic = await broker.CreateTopicAsync("orders");
        var partition = DispatchProxy.Create<IPartitionHandle, FailingReads>();
        var reads = (FailingReads)(object)partition;
        reads.Inner = topic.Partitions[0];
        var handle = DispatchProxy.Create<ITopicHandle, OnePartition>();
        ((OnePartition)(object)handle).Inner = topic;
        ((OnePartition)(object)handle).Partition = partition;

        var space = new ChannelSpace();
        var listener = new Listener();
        space.Subscribe("orders"u8, listener);
        var clock = new FakeTimeProvider();
        var stalls = new ConcurrentQueue<string>();
        var tail = new ChannelTail(handle, "orders"u8.ToArray(), space, ThreadPoolScheduler.Instance, clock, (name, index, error) => stalls.Enqueue($"{name.Name}/{index}: {error.Message}"));
        tail.Follow();
        reads.IsFailing = true;
        using (var batch = new RecordBatchBuilder())
        {
            batch.Add(1, default, "one"u8);
            Assert.Equal(PartitionStatus.Ok, (await topic.Partitions[0].AppendAsync(batch.Build(new BatchOptions()), TestContext.Current.CancellationToken)).Status);
        }
        await UntilAsync(() => !stalls.IsEmpty);
        // It is tried again, less and less often, and not said again.
        for (var failed = reads.Failed; reads.Failed < failed + 3;)
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(2, TestContext.Current.CancellationToken);
        }
        Assert.Empty(listener.Heard);
        reads.IsFailing = false;
        await UntilAsync(() =>
        {
            clock.Advance(TimeSpan.FromSeconds(1));
            return !listener.Heard.IsEmpty;
        });
        Assert.Equal(["one"], listener.Heard);
        Assert.Equal(["orders/0: The log could not be read."], stalls);
        tail.Stop();
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        for (var limit = DateTime.UtcNow.AddSeconds(20); !condition(); await Task.Delay(2)) Assert.True(DateTime.UtcNow < limit, "It did not come to be.");
    }

    private sealed class Listener : IChannelListener
    {
        public ConcurrentQueue<string> Heard { get; } = new();

        public void OnMessages(ChannelSubscription subscription, in ChannelMessages messages)
        {
            for (var i = 0; i < messages.Count; i++) Heard.Enqueue(Encoding.ASCII.GetString(messages[i].Payload));
        }
    }

    /// <summary>A partition whose disk fails when it is told to.</summary>
    public class FailingReads : DispatchProxy
    {
        private int _failed;

        public IPartitionHandle Inner { get; set; } = null!;

        public bool IsFailing { get; set; }

        public int Failed => Volatile.Read(ref _failed);

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            if (targetMethod!.Name != nameof(IPartitionHandle.ReadStableAsync) || !IsFailing) return targetMethod.Invoke(Inner, args);
            Interlocked.Increment(ref _failed);
            return new ValueTask<PartitionStatus>(PartitionStatus.StorageError);
        }
    }

    /// <summary>A topic with one partition in the place of its own.</summary>
    public class OnePartition : DispatchProxy
    {
        public ITopicHandle Inner { get; set; } = null!;

        public IPartitionHandle Partition { get; set; } = null!;

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
            targetMethod!.Name == "get_Partitions" ? new[] { Partition } : targetMethod.Invoke(Inner, args);
    }
}
