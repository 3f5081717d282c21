using System.Text;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Channels;

/// <summary>
/// Which logs are followed for those who listen: a topic that keeps a log has a tail while somebody listens to its
/// channel, by name or by a pattern.
/// </summary>
internal sealed class ChannelTails(ITopics topics, Func<NamespaceName, ChannelSpace> spaces, IScheduler scheduler, TimeProvider time, Action<TopicName, int, Exception> stalled) : ITopicObserver
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TopicName, ChannelTail> _tails = [];

    /// <summary>Begins or ends to follow a topic's log, as is wanted now. What is committed after the return is heard.</summary>
    public void Look(TopicName name)
    {
        var channel = Encoding.UTF8.GetBytes(name.Name);
        lock (_lock)
        {
            _tails.TryGetValue(name, out var tail);
            var topic = topics.Find(name);
            var space = spaces(name.Namespace);
            var wanted = topic is not null && space.HasListeners(channel);
            if (tail is not null && (!wanted || tail.Topic.Id != topic!.Id))
            {
                _tails.Remove(name);
                tail.Stop();
                tail = null;
            }
            if (!wanted) return;
            if (tail is null) _tails[name] = tail = new ChannelTail(topic!, channel, space, scheduler, time, stalled);
            tail.Follow();
        }
    }

    /// <inheritdoc/>
    public void OnChanged(TopicName name) => Look(name);
}
