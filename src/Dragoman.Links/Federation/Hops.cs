using System.Collections;
using System.Globalization;
using Dragoman.Links.Messages;

namespace Dragoman.Links.Federation;

/// <summary>
/// Which way messages and bindings have come over federation links: the header <c>x-received-from</c> and the argument
/// <c>x-bound-from</c>, as RabbitMQ writes and reads them.
/// </summary>
internal static class Hops
{
    /// <summary>The header of messages.</summary>
    public const string MessageHeader = "x-received-from";

    /// <summary>The argument of bindings.</summary>
    public const string BindingArgument = "x-bound-from";

    /// <summary>Whether a message may go to a broker: it was not there before, and has not come too far.</summary>
    public static bool MayGo(IDictionary<string, object?>? headers, int maxHops, string cluster, string virtualHost)
    {
        if (headers is null || !headers.TryGetValue(MessageHeader, out var value) || value is not IEnumerable hops || value is string or byte[]) return true;
        var count = 0;
        foreach (var hop in hops)
        {
            count++;
            if (IsAt(hop, cluster, virtualHost)) return false;
        }
        return count < maxHops;
    }

    /// <summary>
    /// The arguments with which a binding is made upstream; null if it is not to be made: it came from there, or too far.
    /// </summary>
    /// <param name="arguments">The binding's arguments here.</param>
    /// <param name="maxHops">How far a binding of this broker's own goes.</param>
    /// <param name="cluster">What this broker calls itself.</param>
    /// <param name="virtualHost">The virtual host.</param>
    /// <param name="exchange">The exchange here.</param>
    /// <param name="upstreamCluster">What the upstream calls itself, if it does.</param>
    /// <param name="upstreamVirtualHost">The virtual host there.</param>
    public static Dictionary<string, object?>? Bind(IDictionary<string, object?> arguments, int maxHops, string cluster, string virtualHost, string exchange, string? upstreamCluster, string upstreamVirtualHost)
    {
        var left = maxHops;
        if (arguments.TryGetValue(BindingArgument, out var value) && value is IEnumerable hops and not (string or byte[]))
        {
            var isFirst = true;
            foreach (var hop in hops)
            {
                if (upstreamCluster is not null && IsAt(hop, upstreamCluster, upstreamVirtualHost)) return null;
                if (isFirst && hop is IDictionary<string, object?> newest && newest.TryGetValue("hops", out var earlier) && earlier is IConvertible number)
                    left = Math.Min(maxHops, number.ToInt32(CultureInfo.InvariantCulture) - 1);
                isFirst = false;
            }
        }
        if (left <= 0) return null;
        var result = new Dictionary<string, object?>(arguments);
        RoutingHeader.Prepend(result, BindingArgument, new Dictionary<string, object?> { ["cluster-name"] = cluster, ["vhost"] = virtualHost, ["exchange"] = exchange, ["hops"] = (short)left });
        return result;
    }

    private static bool IsAt(object? hop, string cluster, string virtualHost) =>
        hop is IDictionary<string, object?> table
        && table.TryGetValue("cluster-name", out var there) && Fields.TextOf(there) == cluster
        && table.TryGetValue("vhost", out var host) && Fields.TextOf(host) == virtualHost;
}
