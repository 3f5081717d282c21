using System.Text;
using Dragoman.Broker.Channels;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Security;
using Dragoman.Protocols.Authentication;
using Dragoman.Redis.Sessions;
using Dragoman.Redis.Wire;

namespace Dragoman.Redis.Access;

/// <summary>Which channels a client may use: those of the topics that it may read and write.</summary>
internal static class ChannelAccess
{
    /// <summary>Whether a client may publish to a channel.</summary>
    public static bool MayPublish(ClientIdentity identity, NamespaceName ns, ReadOnlySpan<byte> channel) =>
        identity.Allows(Operations.Write, ResourceKind.Topic, ns, Encoding.UTF8.GetString(channel));

    /// <summary>Whether a client may listen in a way.</summary>
    public static bool MayListen(RedisSession session, SubscriptionKind kind, ReadOnlySpan<byte> name) =>
        kind == SubscriptionKind.Pattern
            ? MayListenToPattern(session.FrontEnd.Login.Accounts, session.Identity, NamespaceName.Default, name)
            : MayListen(session.Identity, NamespaceName.Default, name);

    private static bool MayListen(ClientIdentity identity, NamespaceName ns, ReadOnlySpan<byte> channel) =>
        identity.Allows(Operations.Read, ResourceKind.Topic, ns, Encoding.UTF8.GetString(channel));

    /// <summary>
    /// Whether a client may listen to all channels that match a pattern: some rule has to allow all that it may match, and
    /// none may forbid any of it. As in Redis, whether one glob is within another is not worked out: they are the same, or
    /// the wider one is a prefix or everything.
    /// </summary>
    internal static bool MayListenToPattern(IAccounts accounts, ClientIdentity identity, NamespaceName ns, ReadOnlySpan<byte> pattern)
    {
        if (!accounts.IsEnabled || identity.User is { } name && accounts.Find(name) is { IsAdministrator: true }) return true;
        var glob = new Glob(pattern);
        var text = Encoding.UTF8.GetString(pattern);
        var prefix = Encoding.UTF8.GetString(glob.Prefix);
        var allowed = false;
        foreach (var rule in accounts.Permissions)
        {
            if (rule.User != Permission.Everyone && rule.User != identity.User || rule.Host != Permission.AnyHost && rule.Host != identity.Host) continue;
            if (rule.Kind is not (ResourceKind.Topic or ResourceKind.Any) || rule.Namespace is not null && rule.Namespace != ns || (rule.Operations & Operations.Read) == 0) continue;
            if (rule.Effect == Effect.Allow) allowed |= Covers(rule.Pattern, text, prefix);
            else if (MayMeet(rule.Pattern, glob, prefix)) return false;
        }
        return allowed;
    }

    private static bool Covers(NamePattern rule, string pattern, string prefix) => rule.Kind switch
    {
        PatternKind.Literal => rule.Text == NamePattern.Wildcard || rule.Text == pattern,
        PatternKind.Prefix => prefix.StartsWith(rule.Text, StringComparison.Ordinal),
        PatternKind.Glob => rule.Text == pattern || rule.Text == "*",
        _ => rule.Text is ".*" or "^.*$" or "^.*",
    };

    private static bool MayMeet(NamePattern rule, Glob glob, string prefix) => rule.Kind switch
    {
        PatternKind.Literal => rule.Text == NamePattern.Wildcard || glob.Matches(Encoding.UTF8.GetBytes(rule.Text)),
        PatternKind.Prefix => rule.Text.StartsWith(prefix, StringComparison.Ordinal) || prefix.StartsWith(rule.Text, StringComparison.Ordinal),
        PatternKind.Glob => MayMeetGlob(Encoding.UTF8.GetString(new Glob(Encoding.UTF8.GetBytes(rule.Text)).Prefix), prefix),
        _ => true,
    };

    private static bool MayMeetGlob(string one, string other) => one.StartsWith(other, StringComparison.Ordinal) || other.StartsWith(one, StringComparison.Ordinal);
}
