namespace Dragoman.Broker.Groups.Offsets;

/// <summary>A committed offset as the state keeps it.</summary>
/// <param name="Committed">How far the group has read.</param>
/// <param name="CommittedAtMs">When it was committed, in milliseconds since 1970.</param>
/// <param name="ExpiresAtMs">When it expires whatever the group does; -1 where the broker's retention decides.</param>
/// <param name="Sequence">The number of the event that brought it: of a pending and a plain commit, the later one stays.</param>
internal readonly record struct StoredOffset(CommittedOffset Committed, long CommittedAtMs, long ExpiresAtMs, long Sequence);
