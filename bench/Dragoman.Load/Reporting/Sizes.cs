using System.CommandLine.Parsing;
using System.Globalization;

namespace Dragoman.Load.Reporting;

/// <summary>Sizes and rates as people write them.</summary>
internal static class Sizes
{
    /// <summary>Reads 65536, 64K, 64KiB, 4M or 8G from the command line.</summary>
    public static long Parse(ArgumentResult argument)
    {
        var text = argument.Tokens[^1].Value.Trim().ToUpperInvariant();
        var number = text.TrimEnd('B').TrimEnd('I');
        var shift = number.Length == 0 ? 0 : number[^1] switch { 'K' => 10, 'M' => 20, 'G' => 30, 'T' => 40, _ => 0 };
        if (shift > 0) number = number[..^1];
        if (double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= 0) return (long)(value * (1L << shift));
        argument.AddError($"'{text}' is no size; write it as 65536, 64K, 4M or 8G.");
        return 0;
    }

    /// <summary>MiB per second.</summary>
    public static string Rate(double bytesPerSecond) => $"{bytesPerSecond / (1 << 20):F0} MiB/s";

    public static string Bytes(double bytes) => bytes switch
    {
        >= 1L << 30 => $"{bytes / (1L << 30):F2} GiB",
        >= 1 << 20 => $"{bytes / (1 << 20):F1} MiB",
        >= 1 << 10 => $"{bytes / (1 << 10):F1} KiB",
        _ => $"{bytes:F0} B",
    };

    public static string Count(double number) => number switch
    {
        >= 1e6 => $"{number / 1e6:F2} M",
        >= 1e4 => $"{number / 1e3:F1} k",
        _ => $"{number:F0}",
    };

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }
}
