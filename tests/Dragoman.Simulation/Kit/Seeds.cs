using System.Globalization;

namespace Dragoman.Simulation;

/// <summary>Runs a body over seeds: those that once failed, then fresh ones. <c>DRAGOMAN_SEED</c> runs a single one.</summary>
public static class Seeds
{
    private const string Variable = "DRAGOMAN_SEED";

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
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } text)
        {
            string digits = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text[2..] : text;
            return [ulong.Parse(digits, NumberStyles.HexNumber, CultureInfo.InvariantCulture)];
        }

        return known.Concat(Enumerable.Range(0, fresh).Select(_ => (ulong)Random.Shared.NextInt64(long.MinValue, long.MaxValue)));
    }
}
