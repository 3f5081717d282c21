using Dragoman.Broker.Routing;
using Dragoman.Broker.Topics;
using Microsoft.Extensions.Logging;

namespace Dragoman.Serve;

/// <summary>Says what goes wrong where routes carry on what topics keep in their logs.</summary>
internal sealed class ForwardingLog(ILogger log) : IForwardingObserver
{
    public void OnFellBehind(TopicName topic, int partition, long firstLost, long next) => log.LogWarning(
        "The routes of topic {Topic} fell behind: {Count} records of partition {Partition}, from offset {FirstLost} on, were removed before they reached its queues. A longer retention keeps them.",
        topic, next - firstLost, partition, firstLost);

    public void OnStalled(TopicName topic, int partition, Exception reason) => log.LogWarning(
        "The routes of topic {Topic} do not go on in partition {Partition}: {Reason} It is tried again every second.", topic, partition, reason.Message);
}
