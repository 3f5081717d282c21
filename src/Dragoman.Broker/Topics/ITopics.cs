namespace Dragoman.Broker.Topics;

/// <summary>How a change to the topics ended.</summary>
public enum TopicStatus
{
    /// <summary>It was done.</summary>
    Ok,

    /// <summary>A topic of that name is there already.</summary>
    AlreadyExists,

    /// <summary>There is no such topic.</summary>
    NotFound,

    /// <summary>The name is not allowed.</summary>
    InvalidName,

    /// <summary>The number of partitions is not allowed.</summary>
    InvalidPartitions,

    /// <summary>There is no room on disk; later there may be.</summary>
    Full,

    /// <summary>The disk failed.</summary>
    StorageError,
}

/// <summary>The answer to a change of the topics.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Topic">The topic, where there is one.</param>
/// <param name="Message">What is wrong, for a person.</param>
public readonly record struct TopicAnswer(TopicStatus Status, ITopicHandle? Topic, string? Message = null);

/// <summary>Hears what becomes of topics. Called with no lock held; must be quick and must not throw.</summary>
public interface ITopicObserver
{
    /// <summary>A topic is there, or has more partitions or other settings, or is gone.</summary>
    void OnChanged(TopicName name);
}

/// <summary>The topics of all namespaces.</summary>
public interface ITopics
{
    /// <summary>The most partitions that a topic may have.</summary>
    const int MaxPartitions = 10_000;

    /// <summary>Rises with every change of which topics there are, and of their partitions.</summary>
    long Version { get; }

    /// <summary>A topic by name; null if there is none.</summary>
    ITopicHandle? Find(TopicName name);

    /// <summary>A topic by id; null if there is none.</summary>
    ITopicHandle? Find(Guid id);

    /// <summary>All topics, in the order of their names.</summary>
    IReadOnlyList<ITopicHandle> List();

    /// <summary>Creates a topic. The answer comes when that is on disk.</summary>
    ValueTask<TopicAnswer> CreateAsync(TopicName name, int partitions, TopicSettings settings, CancellationToken cancellation = default);

    /// <summary>Deletes a topic and all that it holds.</summary>
    ValueTask<TopicAnswer> DeleteAsync(TopicName name, CancellationToken cancellation = default);

    /// <summary>Raises the number of partitions.</summary>
    ValueTask<TopicAnswer> AddPartitionsAsync(TopicName name, int newCount, CancellationToken cancellation = default);

    /// <summary>Replaces the settings of a topic by what a function makes of them; it may be called under a lock and must be pure.</summary>
    ValueTask<TopicAnswer> ChangeSettingsAsync(TopicName name, Func<TopicSettings, TopicSettings> change, CancellationToken cancellation = default);

    /// <summary>Calls an observer from now on.</summary>
    void AddObserver(ITopicObserver observer);
}
