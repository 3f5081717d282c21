namespace Dragoman.Simulation.Storage;

/// <summary>Seeds that failed once. They are run first, for ever.</summary>
internal static class KnownSeeds
{
    public static IReadOnlyList<ulong> All { get; } = [];
}
