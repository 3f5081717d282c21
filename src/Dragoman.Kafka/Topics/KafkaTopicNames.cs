using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Topics;

namespace Dragoman.Kafka.Topics;

/// <summary>
/// How topics are called in Kafka. A name that Kafka cannot spell appears with those bytes of its UTF-8 that Kafka does
/// not allow as <c>%XX</c>; Kafka allows no percent sign, so that is reversible.
/// </summary>
internal static class KafkaTopicNames
{
    /// <summary>The longest name that may be created, in characters (Kafka's <c>Topic.MAX_NAME_LENGTH</c>).</summary>
    public const int MaxLength = 249;

    private static readonly SearchValues<char> s_legal =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

    /// <summary>The topic that a client names.</summary>
    public static TopicName Parse(string name) => new(NamespaceName.Default, name.Contains('%', StringComparison.Ordinal) ? Unescape(name) : name);

    /// <summary>What clients see a topic as.</summary>
    public static string Format(TopicName name) => name.Name is "." or ".." ? name.Name.Replace(".", "%2E", StringComparison.Ordinal) : name.Name.AsSpan().ContainsAnyExcept(s_legal) ? Escape(name.Name) : name.Name;

    /// <summary>Whether a topic of this name may be created through Kafka, by Kafka's own rules.</summary>
    public static bool IsLegal(string name, [NotNullWhen(false)] out string? why)
    {
        why = null;
        if (name.Length == 0) why = "A topic's name is not empty.";
        else if (name is "." or "..") why = "A topic's name is not '.' or '..'.";
        else if (name.Length > MaxLength) why = $"A topic's name has at most {MaxLength} characters.";
        else if (name.AsSpan().ContainsAnyExcept(s_legal)) why = $"The topic name '{name}' has characters other than letters, digits, '.', '_' and '-'.";
        return why is null;
    }

    private static string Escape(string name)
    {
        var text = new StringBuilder(name.Length + 16);
        foreach (var b in Encoding.UTF8.GetBytes(name))
        {
            if (b < 0x80 && s_legal.Contains((char)b)) text.Append((char)b);
            else text.Append('%').Append(b.ToString("X2", null));
        }
        return text.ToString();
    }

    private static string Unescape(string name)
    {
        var bytes = new ArrayBufferWriter<byte>(name.Length);
        for (var i = 0; i < name.Length; i++)
        {
            if (name[i] == '%' && i + 2 < name.Length && byte.TryParse(name.AsSpan(i + 1, 2), System.Globalization.NumberStyles.AllowHexSpecifier, null, out var b))
            {
                bytes.Write([b]);
                i += 2;
                continue;
            }
            Encoding.UTF8.GetBytes(name.AsSpan(i, 1), bytes);
        }
        return Encoding.UTF8.GetString(bytes.WrittenSpan);
    }
}
