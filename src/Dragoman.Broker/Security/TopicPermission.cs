using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Security;

/// <summary>
/// Which routing keys a user may use at a topic that routes by patterns of them, beside being permitted to use the topic.
/// A user without one for a topic may use all (rabbitmq.com, "Access Control", "Topic Authorisation").
/// </summary>
/// <param name="User">The user.</param>
/// <param name="Topic">The topic.</param>
/// <param name="Write">A regular expression: the keys that the user may publish with.</param>
/// <param name="Read">A regular expression: the keys that the user may make routes with.</param>
public sealed record TopicPermission(string User, TopicName Topic, string Write, string Read)
{
    private readonly NamePattern? _write = PatternOf(Write);
    private readonly NamePattern? _read = PatternOf(Read);

    /// <summary>Whether the user may use a routing key.</summary>
    /// <param name="operation">What for: <see cref="Operations.Write"/> or <see cref="Operations.Read"/>.</param>
    /// <param name="routingKey">The key.</param>
    /// <param name="space">What patterns call the virtual host.</param>
    public bool Allows(Operations operation, string routingKey, string space)
    {
        var (fixedPattern, text) = operation == Operations.Write ? (_write, Write) : (_read, Read);
        if (fixedPattern is not null) return fixedPattern.Matches(routingKey);
        try
        {
            return new NamePattern(PatternKind.Regex, Expand(text, space)).Matches(routingKey);
        }
        catch (ArgumentException)
        {
            // With this user's name in it the pattern is none, and so matches nothing.
            return false;
        }
    }

    internal void WriteTo(in SnapshotWriter writer)
    {
        writer.Text(User);
        writer.Text(Topic.Namespace.Tenant);
        writer.Text(Topic.Namespace.Name);
        writer.Text(Topic.Name);
        writer.Text(Write);
        writer.Text(Read);
    }

    internal static TopicPermission ReadFrom(ref SnapshotReader reader) =>
        new(reader.Text(), new TopicName(new NamespaceName(reader.Text(), reader.Text()), reader.Text()), reader.Text(), reader.Text());

    /// <summary>A pattern that is the same whoever uses it; null if names are put into it.</summary>
    private static NamePattern? PatternOf(string text) => text.Contains('{', StringComparison.Ordinal) && (text.Contains("{username}", StringComparison.Ordinal) || text.Contains("{vhost}", StringComparison.Ordinal))
        ? null
        : new NamePattern(PatternKind.Regex, text);

    private string Expand(string text, string space) =>
        text.Replace("{username}", User, StringComparison.Ordinal).Replace("{vhost}", space, StringComparison.Ordinal);
}
