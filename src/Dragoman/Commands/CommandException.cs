namespace Dragoman.Commands;

/// <summary>A failure that a person can understand and act on: its message is all that is shown of it.</summary>
internal sealed class CommandException : Exception
{
    public CommandException(string message, int exitCode = ExitCode.Failed) : base(message) => Code = exitCode;

    public CommandException(string message, Exception inner) : base(message, inner) => Code = ExitCode.Failed;

    /// <summary>The exit code of the process.</summary>
    public int Code { get; }
}
