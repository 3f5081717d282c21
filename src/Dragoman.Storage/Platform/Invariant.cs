using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace Dragoman.Storage.Platform;

/// <summary>
/// Assertions that stay on in release builds: a store that has lost its bearings must stop, not guess.
/// </summary>
public static class Invariant
{
    /// <summary>Throws if a condition that the design guarantees does not hold.</summary>
    /// <exception cref="InvariantViolatedException">It does not hold.</exception>
    public static void Check(
        [DoesNotReturnIf(false)] bool condition,
        string rule,
        [CallerFilePath] string file = "",
        [CallerLineNumber] int line = 0)
    {
        if (!condition) Fail(rule, file, line);
    }

    [DoesNotReturn]
    private static void Fail(string rule, string file, int line) =>
        throw new InvariantViolatedException($"Broken invariant: {rule} ({Path.GetFileName(file)}:{line}).");
}

/// <summary>The program's own reasoning is wrong somewhere: a defect, never bad input.</summary>
public sealed class InvariantViolatedException : Exception
{
    /// <summary>Creates the exception.</summary>
    public InvariantViolatedException(string message) : base(message) { }

    /// <summary>Creates the exception with its cause.</summary>
    public InvariantViolatedException(string message, Exception inner) : base(message, inner) { }

    /// <summary>Creates the exception.</summary>
    public InvariantViolatedException() { }
}

/// <summary>Bytes that storage wrote do not read back as written.</summary>
public sealed class CorruptDataException : IOException
{
    /// <summary>Creates the exception.</summary>
    public CorruptDataException(string message) : base(message) { }

    /// <summary>Creates the exception with its cause.</summary>
    public CorruptDataException(string message, Exception inner) : base(message, inner) { }

    /// <summary>Creates the exception.</summary>
    public CorruptDataException() { }
}
