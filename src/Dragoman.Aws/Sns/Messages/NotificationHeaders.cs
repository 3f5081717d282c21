namespace Dragoman.Aws.Sns.Messages;

/// <summary>Record headers that are SNS' own.</summary>
internal static class NotificationHeaders
{
    /// <summary>The subject.</summary>
    public static ReadOnlySpan<byte> Subject => "sns-subject"u8;

    /// <summary>The JSON that has another text for each protocol.</summary>
    public static ReadOnlySpan<byte> Structure => "sns-structure"u8;

    /// <summary>The number of a message in a FIFO topic, as the broker writes it.</summary>
    public static ReadOnlySpan<byte> Sequence => "sns-sequence"u8;

    /// <summary>Whether a header is one of these.</summary>
    public static bool IsOne(ReadOnlySpan<byte> name) => name.StartsWith("sns-"u8) && (name.SequenceEqual(Subject) || name.SequenceEqual(Structure) || name.SequenceEqual(Sequence));
}
