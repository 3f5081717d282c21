using Dragoman.Broker.Topics;
using Dragoman.Storage.Journal;

namespace Dragoman.Broker.Queues.AsTopics;

/// <summary>A queue, seen as a topic of one partition: its name is the queue's behind <see cref="TopicName.QueuePrefix"/>, its id the queue's.</summary>
internal sealed class QueueTopic : ITopicHandle
{
    private readonly LocalQueue _queue;
    private readonly QueuePartition[] _partitions;

    public QueueTopic(Queues queues, LocalQueue queue)
    {
        _queue = queue;
        Name = new TopicName(queue.Name.Namespace, TopicName.QueuePrefix + queue.Name.Name);
        _partitions = [new QueuePartition(queues, queue)];
    }

    public TopicName Name { get; }

    public Guid Id => _queue.Id;

    /// <summary>What a queue has in common with topics: it keeps messages until they are settled, and sets their time itself.</summary>
    public TopicSettings Settings => TopicSettings.Default with
    {
        RetentionMs = -1,
        TimestampType = Storage.Records.TimestampType.LogAppendTime,
        CommitMode = _queue.Settings.IsVolatile ? CommitMode.Memory : _queue.Settings.CommitMode,
    };

    public DateTimeOffset CreatedAt => _queue.CreatedAt;

    public IReadOnlyList<IPartitionHandle> Partitions => _partitions;

    public bool IsQueue => true;

    public bool IsDeleted => _queue.IsDeleted;
}
