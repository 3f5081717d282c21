namespace Dragoman.Commands;

/// <summary>How the process says what happened.</summary>
internal static class ExitCode
{
    /// <summary>Done.</summary>
    public const int Ok = 0;

    /// <summary>It did not work; the message says why.</summary>
    public const int Failed = 1;

    /// <summary>The command line or a setting makes no sense.</summary>
    public const int Usage = 2;

    /// <summary>An inspection found damage.</summary>
    public const int Damaged = 3;

    /// <summary>The disk failed while the broker ran: what was in memory is dropped, and a restart recovers (sysexits' EX_SOFTWARE).</summary>
    public const int DiskFailed = 70;
}
