using Dragoman.Broker.Channels;
using Dragoman.Broker.Topics;
using Microsoft.Extensions.Logging;

namespace Dragoman.Serve;

/// <summary>Says what goes wrong where those who listen to a channel follow what its topic keeps.</summary>
internal sealed class ChannelLog(ILogger log) : IChannelObserver
{
    public void OnStalled(TopicName topic, int partition, Exception reason) => log.LogWarning(
        "Who listens to channel {Topic} does not hear what partition {Partition} of its log holds: {Reason} It is tried again, first after a second and then less and less often.", topic, partition, reason.Message);
}
