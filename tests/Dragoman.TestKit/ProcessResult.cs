using System.Text;

namespace Dragoman.TestKit;

/// <summary>What a program left when it ended.</summary>
public sealed record ProcessResult(string Command, int ExitCode, byte[] OutputBytes, string Error)
{
    /// <summary>Its standard output as text.</summary>
    public string Output => Encoding.UTF8.GetString(OutputBytes);

    /// <summary>Its standard output in lines.</summary>
    public string[] OutputLines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>This result, if the program ended with zero.</summary>
    /// <exception cref="InvalidOperationException">It did not; the message holds what it wrote.</exception>
    public ProcessResult Succeeded() =>
        ExitCode == 0 ? this : throw new InvalidOperationException($"{Command}\nended with {ExitCode}.\nStandard error:\n{Error}\nStandard output:\n{Tail(Output)}");

    private static string Tail(string text) => text.Length <= 4000 ? text : "…" + text[^4000..];
}
