using System.Diagnostics;
using System.Globalization;

namespace Dragoman.Load.Reporting;

/// <summary>CPU time that this process and a watched one use while something is measured.</summary>
internal sealed class CpuMeter
{
    // USER_HZ: what /proc counts in, 100 on every Linux platform that .NET runs on (proc_pid_stat(5), sysconf(3)).
    private const double TicksPerSecond = 100;

    private readonly int? _watched;
    private readonly TimeSpan _ownStart;
    private readonly double _watchedStart;
    private readonly long _start = Stopwatch.GetTimestamp();

    /// <summary>Starts.</summary>
    /// <param name="watched">Another process's id, or null.</param>
    /// <exception cref="IOException">There is no such process.</exception>
    public CpuMeter(int? watched)
    {
        _watched = watched;
        _ownStart = Process.GetCurrentProcess().TotalProcessorTime;
        _watchedStart = watched is { } pid ? SecondsOf(pid) : 0;
    }

    /// <summary>What was used since the start.</summary>
    public Usage Read() => new(
        Stopwatch.GetElapsedTime(_start).TotalSeconds,
        (Process.GetCurrentProcess().TotalProcessorTime - _ownStart).TotalSeconds,
        _watched is { } pid ? SecondsOf(pid) - _watchedStart : null);

    /// <summary>User and system time of a process, ended children aside.</summary>
    private static double SecondsOf(int pid)
    {
        var stat = File.ReadAllText($"/proc/{pid}/stat");
        // The second field is the program's name in parentheses, which may hold blanks; counting starts behind it.
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
    }

    /// <summary>CPU seconds used.</summary>
    /// <param name="Seconds">Seconds that passed.</param>
    /// <param name="Own">CPU seconds of this process: the client.</param>
    /// <param name="Watched">CPU seconds of the watched process: the broker; null when none was named.</param>
    public readonly record struct Usage(double Seconds, double Own, double? Watched)
    {
        public double OwnShare => Own / Seconds;

        public double? WatchedShare => Watched / Seconds;
    }
}
