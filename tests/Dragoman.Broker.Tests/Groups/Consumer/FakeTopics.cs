using Dragoman.Broker.Topics;

namespace Dragoman.Broker.Tests.Groups.Consumer;

/// <summary>Topics as far as groups look at them.</summary>
internal sealed class FakeTopics : ITopics
{
    private readonly Dictionary<TopicName, Topic> _topics = [];

    public void AddObserver(ITopicObserver observer) => throw new NotSupportedException();

    public long Version { get; private set; }

    public Guid Set(string name, int partitions)
    {
        Version++;
        var key = TopicName.InDefault(name);
        var id = _topics.TryGetValue(key, out var known) ? known.Id : new Guid(Version.GetHashCode(), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
        _topics[key] = new Topic(key, id, partitions);
        return id;
    }

    public void Remove(string name)
    {
        Version++;
        _topics.Remove(TopicName.InDefault(name));
    }

    public ITopicHandle? Find(TopicName name) => _topics.GetValueOrDefault(name);

    public ITopicHandle? Find(Guid id) => _topics.Values.FirstOrDefault(t => t.Id == id);

    public IReadOnlyList<ITopicHandle> List() => [.. _topics.Values.OrderBy(t => t.Name.Name, StringComparer.Ordinal)];

    public ValueTask<TopicAnswer> CreateAsync(TopicName name, int partitions, TopicSettings settings, CancellationToken cancellation) => throw new NotSupportedException();

    public ValueTask<TopicAnswer> DeleteAsync(TopicName name, CancellationToken cancellation) => throw new NotSupportedException();

    public ValueTask<TopicAnswer> AddPartitionsAsync(TopicName name, int newCount, CancellationToken cancellation) => throw new NotSupportedException();

    public ValueTask<TopicAnswer> ChangeSettingsAsync(TopicName name, Func<TopicSettings, TopicSettings> change, CancellationToken cancellation) => throw new NotSupportedException();

    private sealed class Topic(TopicName name, Guid id, int partitions) : ITopicHandle
    {
        public TopicName Name => name;

        public Guid Id => id;

        public TopicSettings Settings => TopicSettings.Default;

        public DateTimeOffset CreatedAt => default;

        public IReadOnlyList<IPartitionHandle> Partitions { get; } = new IPartitionHandle[partitions];

        public bool IsQueue => false;

        public bool IsDeleted => false;
    }
}
