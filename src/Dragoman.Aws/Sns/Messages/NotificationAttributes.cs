using System.Text;
using System.Text.Unicode;
using Dragoman.Aws.Http;
using Dragoman.Aws.Sqs.Messages;
using Dragoman.Broker.Messages;
using Dragoman.Storage.Records;

namespace Dragoman.Aws.Sns.Messages;

/// <summary>Message attributes of SNS: as requests have them, and as record headers.</summary>
internal static class NotificationAttributes
{
    private const int MaxNameBytes = 256;

    /// <summary>Reads the attributes of a request.</summary>
    /// <param name="input">The request, or an entry of its batch.</param>
    /// <param name="path">What errors call the place: empty, or that of the entry.</param>
    /// <exception cref="AwsException">One is not as it has to be.</exception>
    public static List<MessageAttribute> Read(Input input, string path)
    {
        var attributes = new List<MessageAttribute>();
        foreach (var (name, value) in input.StructureMap("MessageAttributes", "MessageAttributes.entry"))
        {
            CheckName(name);
            if (value.Text("DataType") is not { } type) throw SnsErrors.Null($"{path}messageAttributes.{name}.member.dataType");
            var kind = type.Split('.', 2)[0];
            if (kind is not ("String" or "Number" or "Binary") || type.Length == kind.Length + 1)
                throw SnsErrors.InvalidAttribute($"The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.");
            attributes.Add(new MessageAttribute(name, type, ValueOf(value, name, kind)));
        }
        return attributes;
    }

    /// <summary>Adds attributes to headers, as SQS has them.</summary>
    public static void Write(List<MessageAttribute> attributes, RecordHeadersWriter headers)
    {
        if (attributes.Count == 0) return;
        using var types = new PooledBuffer();
        foreach (var attribute in attributes)
        {
            var name = Encoding.UTF8.GetBytes(attribute.Name);
            if (FreeHeaders.NeedsEscape(name) && !IncomingMessage.IsSharedProperty(name)) name = [.. FreeHeaders.Escape, .. name];
            headers.Add(name, attribute.Value.Span);
            if (attribute.DataType != "String") HeaderTypes.Add(types, name, Encoding.UTF8.GetBytes(attribute.DataType));
        }
        if (types.Length > 0) headers.Add(HeaderTypes.Header, types.WrittenSpan);
    }

    /// <summary>The attributes that headers are, whoever wrote them.</summary>
    public static List<MessageAttribute> Read(RecordHeaders headers)
    {
        var attributes = new List<MessageAttribute>();
        headers.TryGetLast(HeaderTypes.Header, out var types);
        foreach (var header in headers)
        {
            var name = header.Key;
            if ((FreeHeaders.IsProperty(name) && !IncomingMessage.IsSharedProperty(name)) || NotificationHeaders.IsOne(name) || name.SequenceEqual(IncomingMessage.TraceHeaderName) || header.Value.Length == 0) continue;
            attributes.Add(new MessageAttribute(Encoding.UTF8.GetString(FreeHeaders.Unescape(name)), TypeOf(HeaderTypes.Find(types.Span, name), header.Value.Span), header.Value.Span.ToArray()));
        }
        return attributes;
    }

    /// <summary>One letter is AMQP's type; anything longer is what SQS and SNS call it.</summary>
    private static string TypeOf(ReadOnlySpan<byte> type, ReadOnlySpan<byte> value)
    {
        if (type.Length > 1) return Encoding.UTF8.GetString(type);
        if (type.IsEmpty || type[0] is (byte)'t' or (byte)'V' or (byte)'T') return Utf8.IsValid(value) ? "String" : "Binary";
        return type[0] is (byte)'x' or (byte)'F' or (byte)'A' ? "Binary" : "Number";
    }

    private static ReadOnlyMemory<byte> ValueOf(Input value, string name, string kind)
    {
        var (text, binary) = (value.Text("StringValue"), value.Text("BinaryValue"));
        if (kind == "Binary" && binary is null && !string.IsNullOrEmpty(text)) throw SnsErrors.InvalidAttribute($"The message attribute '{name}' with type 'Binary' must use field 'Binary'.");
        if (kind != "Binary" && text is null && !string.IsNullOrEmpty(binary)) throw SnsErrors.InvalidAttribute($"The message attribute '{name}' with type '{kind}' must use field 'String'.");
        var found = kind == "Binary" ? binary : text;
        if (string.IsNullOrEmpty(found)) throw SnsErrors.InvalidAttribute($"The message attribute '{name}' must contain non-empty message attribute value for message attribute type '{kind}'.");
        if (kind != "Binary") return Encoding.UTF8.GetBytes(found);
        try
        {
            return Convert.FromBase64String(found);
        }
        catch (FormatException)
        {
            throw SnsErrors.InvalidAttribute($"The message attribute '{name}' is not valid Base64.");
        }
    }

    private static void CheckName(string name)
    {
        if (name.Length == 0) throw SnsErrors.InvalidAttribute("The message attribute name must not be empty.");
        foreach (var c in name)
        {
            if (char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.') continue;
            throw SnsErrors.InvalidAttribute($"Invalid non-alphanumeric character '#x{(int)c:X}' was found in the message attribute name. Can only include alphanumeric characters, hyphens, underscores, or dots.");
        }
        if (name[0] == '.') throw SnsErrors.InvalidAttribute("Invalid message attribute name starting with character '.' was found.");
        if (name[^1] == '.') throw SnsErrors.InvalidAttribute("Invalid message attribute name ending with character '.' was found.");
        if (name.Contains("..", StringComparison.Ordinal)) throw SnsErrors.InvalidAttribute("Message attribute name can not have successive '.' character.");
        if (name.Length > MaxNameBytes) throw SnsErrors.InvalidAttribute("Length of message attribute name must be less than 256 bytes.");
    }
}
