using Dragoman.Broker.Topics;

namespace Dragoman.Broker.Channels;

/// <summary>Hears what goes wrong where those who listen to a channel follow a log. Called with no lock held; must be quick and must not throw.</summary>
public interface IChannelObserver
{
    /// <summary>A log cannot be read now, so its channel's listeners do not hear what is committed there; it is tried again.</summary>
    void OnStalled(TopicName topic, int partition, Exception reason);
}
