using System.Globalization;

namespace Dragoman.Simulation;

/// <summary>
/// Runs a body over seeds: those that once failed, then fresh ones. <c>DRAGOMAN_SEED</c> runs a single one;
/// <c>DRAGOMAN_FIRST_SEED</c> says which the fresh ones are, so that a soak can be had again.
/// </summary>
public static class Seeds
{
    private const string Variable = "DRAGOMAN_SEED";
    private const string FirstVariable = "DRAGOMAN_FIRST_SEED";

    /// <summary>How many fresh seeds each simulation runs; <c>test.sh</c> sets it.</summary>
    public static int Fresh { get; } = int.TryParse(Environment.GetEnvironmentVariable("DRAGOMAN_SEEDS"), CultureInfo.InvariantCulture, out var count) ? count : 100;

    /// <summary>Runs <paramref name="body"/> for each seed and stops at the first that fails.</summary>
    /// <exception cref="SimulationFailedException">It failed; the message names the seed and how to run it again.</exception>
    public static void Check(int fresh, Action<ulong> body, params IReadOnlyList<ulong> known)
    {
        ArgumentNullException.ThrowIfNull(body);
        foreach (ulong seed in Choose(fresh, known))
        {
            try
            {
                body(seed);
            }
            catch (Exception fault)
            {
                throw new SimulationFailedException($"Seed 0x{seed:X16} failed; {Variable}=0x{seed:X16} runs it again. {fault.Message}", fault);
            }
        }
    }

    /// <summary>The seeds 1 to <paramref name="count"/>: for tests that ask whether something is ever seen.</summary>
    public static IEnumerable<ulong> Fixed(int count) => Enumerable.Range(1, count).Select(seed => (ulong)seed);

    private static IEnumerable<ulong> Choose(int fresh, IReadOnlyList<ulong> known)
    {
        if (Read(Variable) is { } only) return [only];
        var first = new SimRandom(Read(FirstVariable) ?? (ulong)Random.Shared.NextInt64(long.MinValue, long.MaxValue));
        return known.Concat(Enumerable.Range(0, fresh).Select(_ => first.NextUInt64()));
    }

    private static ulong? Read(string variable)
    {
        if (Environment.GetEnvironmentVariable(variable) is not { Length: > 0 } text) return null;
        var digits = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text[2..] : text;
        return ulong.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    }
}
