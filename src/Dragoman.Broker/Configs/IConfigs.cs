using System.Collections.Immutable;

namespace Dragoman.Broker.Configs;

/// <summary>
/// What was configured while the broker ran, of nodes and groups, by the names that the protocol uses. Topics keep theirs
/// themselves.
/// </summary>
public interface IConfigs
{
    /// <summary>What was set of a thing; empty if nothing was.</summary>
    ImmutableSortedDictionary<string, string> Get(ConfigTarget target);

    /// <summary>The things of a kind of which something was set.</summary>
    IReadOnlyList<string> Names(ConfigKind kind);

    /// <summary>
    /// Replaces what is set of a thing by what a function makes of it; it is called under a lock, must be pure, and may
    /// throw to change nothing. The answer comes when the change is on disk.
    /// </summary>
    ValueTask<(ConfigStatus Status, string? Message)> ChangeAsync(
        ConfigTarget target, Func<ImmutableSortedDictionary<string, string>, ImmutableSortedDictionary<string, string>> change, CancellationToken cancellation = default);

    /// <summary>Called, with no lock held, after a change has been made.</summary>
    event Action<ConfigTarget>? Changed;
}
