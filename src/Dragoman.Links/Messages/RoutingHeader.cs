using System.Globalization;

namespace Dragoman.Links.Messages;

/// <summary>Headers in which a message says which way it has come: the newest hop first.</summary>
internal static class RoutingHeader
{
    /// <summary>What this broker calls itself to others.</summary>
    public static string ClusterName(Broker.Broker broker) => string.Create(CultureInfo.InvariantCulture, $"dragoman@{broker.Options.NodeId}");

    /// <summary>Adds a hop.</summary>
    public static void Prepend(IDictionary<string, object?> headers, string name, Dictionary<string, object?> hop)
    {
        List<object?> hops = [hop];
        if (headers.TryGetValue(name, out var earlier) && earlier is System.Collections.IEnumerable and not (string or byte[]))
            hops.AddRange(((System.Collections.IEnumerable)earlier).Cast<object?>());
        headers[name] = hops;
    }
}
