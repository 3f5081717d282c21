namespace Dragoman.Broker.Topics;

/// <summary>A topic that keeps a log. A handle stays valid, but answers <see cref="PartitionStatus.NotFound"/>, once the topic is gone.</summary>
public interface ITopicHandle
{
    /// <summary>The name.</summary>
    TopicName Name { get; }

    /// <summary>The id: a topic created anew under the same name has another.</summary>
    Guid Id { get; }

    /// <summary>The settings as they are now.</summary>
    TopicSettings Settings { get; }

    /// <summary>When it was created.</summary>
    DateTimeOffset CreatedAt { get; }

    /// <summary>The partitions, by index.</summary>
    IReadOnlyList<IPartitionHandle> Partitions { get; }

    /// <summary>
    /// Whether it is a queue, seen as a topic: it can be read, which takes nothing out of it, and written, which sends to it.
    /// It cannot be changed, and takes part in no transactions.
    /// </summary>
    bool IsQueue { get; }

    /// <summary>Whether the topic has been deleted.</summary>
    bool IsDeleted { get; }
}
