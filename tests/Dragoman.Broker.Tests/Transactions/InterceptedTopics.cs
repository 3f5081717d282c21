using Dragoman.Broker.Topics;
using Dragoman.Broker.Transactions;
using Dragoman.Storage.Log;

namespace Dragoman.Broker.Tests.Transactions;

/// <summary>
/// Topics whose handles are none of this node, as those of a cluster: the coordinator cannot put their markers into its
/// own commit. What becomes of a marker is up to whoever intercepts it.
/// </summary>
internal sealed class InterceptedTopics(ITopics inner, InterceptedTopics.MarkerCall onMarker) : ITopics
{
    /// <summary>Delivers a marker to a partition, or does not.</summary>
    public delegate ValueTask<AppendAnswer> MarkerCall(IPartitionHandle partition, TransactionMarker marker, CancellationToken cancellation);

    public static InterceptedTopics PassingOn(ITopics inner) => new(inner, static (partition, marker, cancellation) => partition.AppendMarkerAsync(marker, cancellation));

    public void AddObserver(ITopicObserver observer) => inner.AddObserver(observer);

    public long Version => inner.Version;

    public ITopicHandle? Find(TopicName name) => Wrap(inner.Find(name));

    public ITopicHandle? Find(Guid id) => Wrap(inner.Find(id));

    public IReadOnlyList<ITopicHandle> List() => [.. inner.List().Select(topic => Wrap(topic)!)];

    public ValueTask<TopicAnswer> CreateAsync(TopicName name, int partitions, TopicSettings settings, CancellationToken cancellation) =>
        inner.CreateAsync(name, partitions, settings, cancellation);

    public ValueTask<TopicAnswer> DeleteAsync(TopicName name, CancellationToken cancellation) => inner.DeleteAsync(name, cancellation);

    public ValueTask<TopicAnswer> AddPartitionsAsync(TopicName name, int newCount, CancellationToken cancellation) => inner.AddPartitionsAsync(name, newCount, cancellation);

    public ValueTask<TopicAnswer> ChangeSettingsAsync(TopicName name, Func<TopicSettings, TopicSettings> change, CancellationToken cancellation) =>
        inner.ChangeSettingsAsync(name, change, cancellation);

    private Topic? Wrap(ITopicHandle? topic) => topic is null ? null : new Topic(topic, onMarker);

    private sealed class Topic(ITopicHandle inner, MarkerCall onMarker) : ITopicHandle
    {
        public TopicName Name => inner.Name;

        public Guid Id => inner.Id;

        public TopicSettings Settings => inner.Settings;

        public DateTimeOffset CreatedAt => inner.CreatedAt;

        public IReadOnlyList<IPartitionHandle> Partitions => [.. inner.Partitions.Select(partition => new Partition(partition, onMarker))];

        public bool IsQueue => inner.IsQueue;

        public bool IsDeleted => inner.IsDeleted;
    }

    private sealed class Partition(IPartitionHandle inner, MarkerCall onMarker) : IPartitionHandle
    {
        public int Index => inner.Index;

        public long SizeBytes => inner.SizeBytes;

        public ValueTask<AppendAnswer> AppendAsync(Memory<byte> batch, CancellationToken cancellation) => inner.AppendAsync(batch, cancellation);

        public ValueTask<AppendAnswer> AppendAsync(Memory<byte> batch, TransactionalId transaction, CancellationToken cancellation) =>
            inner.AppendAsync(batch, transaction, cancellation);

        public ValueTask<AppendAnswer> AppendMarkerAsync(TransactionMarker marker, CancellationToken cancellation) => onMarker(inner, marker, cancellation);

        public bool TryGetOffsets(out PartitionOffsets offsets) => inner.TryGetOffsets(out offsets);

        public ValueTask<PartitionStatus> ReadAsync(long offset, int maxBytes, ReadIsolation isolation, LogRead read) => inner.ReadAsync(offset, maxBytes, isolation, read);

        public ValueTask<PartitionStatus> ReadStableAsync(long offset, int maxBytes, LogRead read, List<AbortedTransaction> aborted) =>
            inner.ReadStableAsync(offset, maxBytes, read, aborted);

        public bool TryCollectProducers(List<ProducerSummary> target) => inner.TryCollectProducers(target);

        public ValueTask<TimedOffset?> FindByTimeAsync(long timestamp, ReadIsolation isolation) => inner.FindByTimeAsync(timestamp, isolation);

        public ValueTask<TimedOffset?> FindLatestTimeAsync(ReadIsolation isolation) => inner.FindLatestTimeAsync(isolation);

        public (int Epoch, long EndOffset) EndOfEpoch(int epoch) => inner.EndOfEpoch(epoch);

        public int EpochAt(long offset) => inner.EpochAt(offset);

        public ValueTask<(PartitionStatus Status, long StartOffset)> TruncateAsync(long beforeOffset) => inner.TruncateAsync(beforeOffset);

        public void AddListener(ILogListener listener) => inner.AddListener(listener);

        public void RemoveListener(ILogListener listener) => inner.RemoveListener(listener);
    }
}
