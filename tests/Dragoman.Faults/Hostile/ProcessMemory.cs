using System.Globalization;

namespace Dragoman.Faults.Hostile;

/// <summary>Resident memory of a process.</summary>
internal static class ProcessMemory
{
    /// <summary>Bytes resident now.</summary>
    public static long Resident(int process) => Read(process, "VmRSS:");

    /// <summary>The most bytes that were ever resident.</summary>
    public static long Peak(int process) => Read(process, "VmHWM:");

    private static long Read(int process, string name)
    {
        var line = File.ReadLines($"/proc/{process}/status").Single(l => l.StartsWith(name, StringComparison.Ordinal));
        return long.Parse(line[name.Length..].Trim().Split(' ')[0], CultureInfo.InvariantCulture) << 10;
    }
}
