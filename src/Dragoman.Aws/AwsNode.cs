using Dragoman.Broker.Queues;
using Microsoft.Extensions.Logging;

namespace Dragoman.Aws;

/// <summary>What the services share.</summary>
/// <param name="Broker">The broker.</param>
/// <param name="Options">How the front end behaves.</param>
/// <param name="Log">Where to log.</param>
internal sealed record AwsNode(Broker.Broker Broker, AwsOptions Options, ILogger Log)
{
    /// <summary>The time, in milliseconds since 1970.</summary>
    public long Now => Broker.Time.GetUtcNow().ToUnixTimeMilliseconds();

    /// <summary>The queue of a name.</summary>
    public static QueueName NameOf(string queue) => QueueName.InDefault(queue);
}
