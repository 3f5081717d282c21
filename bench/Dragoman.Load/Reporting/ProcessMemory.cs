using System.Globalization;

namespace Dragoman.Load.Reporting;

/// <summary>Memory of another process, in bytes, as Linux accounts for it (proc_pid_status(5)).</summary>
internal static class ProcessMemory
{
    /// <summary>What is resident now.</summary>
    public static long Resident(int processId) => Field(processId, "VmRSS");

    /// <summary>The most that was resident since the process began.</summary>
    public static long MostResident(int processId) => Field(processId, "VmHWM");

    private static long Field(int processId, string name)
    {
        foreach (var line in File.ReadLines($"/proc/{processId}/status"))
            if (line.StartsWith(name + ":", StringComparison.Ordinal)) return long.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
        throw new InvalidOperationException($"/proc/{processId}/status has no {name}.");
    }
}
