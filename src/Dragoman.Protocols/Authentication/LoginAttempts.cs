using System.Collections.Concurrent;

namespace Dragoman.Protocols.Authentication;

/// <summary>How often clients of a protocol tried to log in.</summary>
/// <param name="Protocol">The protocol, as RabbitMQ calls it.</param>
/// <param name="Succeeded">How often they could.</param>
/// <param name="Failed">How often they could not.</param>
public sealed record LoginCount(string Protocol, long Succeeded, long Failed);

/// <summary>Counts log-ins by protocol, since the start or since somebody forgot them.</summary>
public sealed class LoginAttempts
{
    private readonly ConcurrentDictionary<string, long[]> _counts = new(StringComparer.Ordinal);

    /// <summary>Counts one.</summary>
    public void Count(string protocol, bool succeeded) => Interlocked.Increment(ref _counts.GetOrAdd(protocol, static _ => new long[2])[succeeded ? 0 : 1]);

    /// <summary>All counts, in the order of the protocols' names.</summary>
    public IReadOnlyList<LoginCount> List() =>
        [.. _counts.Select(static c => new LoginCount(c.Key, Volatile.Read(ref c.Value[0]), Volatile.Read(ref c.Value[1]))).OrderBy(static c => c.Protocol, StringComparer.Ordinal)];

    /// <summary>Forgets them.</summary>
    public void Clear() => _counts.Clear();
}
