using System.Buffers;
using Dragoman.Aws.Http;

namespace Dragoman.Aws.Sqs.Messages;

/// <summary>Which texts SQS takes: the characters that XML 1.0 can carry.</summary>
internal static class MessageText
{
    private static readonly SearchValues<byte> s_control = SearchValues.Create([0, 1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31]);

    /// <summary>The characters, as errors name them.</summary>
    public const string Allowed = "#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF";

    /// <summary>Refuses a text with other characters.</summary>
    /// <exception cref="AwsException">It has some.</exception>
    public static void Check(ReadOnlySpan<byte> utf8)
    {
        if (!IsValid(utf8)) throw SqsErrors.InvalidContents();
    }

    /// <summary>Whether all characters of a text are among those.</summary>
    public static bool IsValid(ReadOnlySpan<byte> utf8) => !utf8.ContainsAny(s_control) && utf8.IndexOf("\uFFFE"u8) < 0 && utf8.IndexOf("\uFFFF"u8) < 0;
}
