using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Topics;

namespace Dragoman.Broker.Groups.Consumer;

/// <summary>What members' subscriptions mean with the topics there are now. Patterns are matched once for each change of the topics.</summary>
internal sealed class TopicView(ITopics topics)
{
    private readonly Dictionary<(NamespaceName Namespace, string Pattern), (long Version, IReadOnlyList<ITopicHandle> Topics)> _matches = [];

    /// <summary>Rises with every change of the topics.</summary>
    public long Version => topics.Version;

    public ITopicHandle? Find(Guid id) => topics.Find(id);

    /// <summary>The topics that a member reads, as far as they are there.</summary>
    public IEnumerable<ITopicHandle> TopicsOf(NamespaceName ns, ConsumerMember member)
    {
        foreach (var name in member.Topics)
            if (topics.Find(name) is { } topic) yield return topic;
        if (member.Pattern is null) yield break;
        foreach (var topic in Matches(ns, member.Pattern))
            if (!topic.IsDeleted && !member.Topics.Contains(topic.Name)) yield return topic;
    }

    private IReadOnlyList<ITopicHandle> Matches(NamespaceName ns, string pattern)
    {
        var version = topics.Version;
        if (_matches.TryGetValue((ns, pattern), out var known) && known.Version == version) return known.Topics;
        if (!TopicPattern.TryCompile(pattern, out var compiled, out _)) return [];
        if (_matches.Count > 256) _matches.Clear();
        // A pattern that does not speak of queues is not meant to read them: "everything" would.
        var withQueues = pattern.StartsWith(TopicName.QueuePrefix[..^1], StringComparison.Ordinal);
        var found = topics.List().Where(t => t.Name.Namespace == ns && (withQueues || !t.IsQueue) && compiled.IsMatch(t.Name.Name)).ToList();
        _matches[(ns, pattern)] = (version, found);
        return found;
    }
}
