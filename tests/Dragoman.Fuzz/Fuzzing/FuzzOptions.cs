using System.Globalization;

namespace Dragoman.Fuzz.Fuzzing;

/// <summary>How long each family of decoders is fuzzed, and from which seed.</summary>
internal static class FuzzOptions
{
    /// <summary>Time for each family; <c>test.sh --soak</c> sets more.</summary>
    public static TimeSpan Time { get; } = TimeSpan.FromSeconds(
        Environment.GetEnvironmentVariable("DRAGOMAN_FUZZ_SECONDS") is { Length: > 0 } seconds ? double.Parse(seconds, CultureInfo.InvariantCulture) : 8);

    /// <summary>The one input to run, where somebody looks into a failure.</summary>
    public static ulong? OnlySeed { get; } = Environment.GetEnvironmentVariable("DRAGOMAN_FUZZ_SEED") is { Length: > 0 } text
        ? ulong.Parse(text.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? text[2..] : text, NumberStyles.HexNumber, CultureInfo.InvariantCulture)
        : null;
}
