using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using Dragoman.Aws.Sns.Signing;
using Dragoman.Aws.Sqs.Messages;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Aws.Sns.Messages;

/// <summary>What a subscription is told, in JSON: what AWS sends, laid out as AWS does, and signed.</summary>
/// <param name="Signer">Signs it.</param>
/// <param name="TopicArn">The topic.</param>
/// <param name="SubscriptionArn">The subscription.</param>
/// <param name="Base">What addresses of this server begin with.</param>
/// <param name="SignatureVersion">1 or 2; null for none, as for FIFO topics.</param>
internal sealed record Envelope(Signer Signer, string TopicArn, string SubscriptionArn, string Base, string? SignatureVersion)
{
    private const string TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fff'Z'";

    // All subscriptions of a topic are told the same, and signing is dear.
    [ThreadStatic]
    private static (string Text, string Version, string Signature) s_last;

    /// <summary>A message as text: bytes that are none, in Base64.</summary>
    public static string TextOf(ReadOnlySpan<byte> value) => Utf8.IsValid(value) ? Encoding.UTF8.GetString(value) : Convert.ToBase64String(value);

    /// <summary>The notification of a message.</summary>
    public string Notify(Guid id, in MessageView message, string text, List<MessageAttribute> attributes)
    {
        message.Headers.TryGetLast(NotificationHeaders.Subject, out var subjectBytes);
        var subject = subjectBytes.Length > 0 ? TextOf(subjectBytes.Span) : null;
        var sequence = message.Headers.TryGetLast(NotificationHeaders.Sequence, out var number) ? SequenceOf(number.Span) : null;
        var timestamp = Timestamp(message.Timestamp);
        var json = new Lines();
        json.Add("Type", "Notification");
        json.Add("MessageId", id.ToString());
        if (sequence is not null) json.Add("SequenceNumber", sequence);
        json.Add("TopicArn", TopicArn);
        if (subject is not null) json.Add("Subject", subject);
        json.Add("Message", text);
        json.Add("Timestamp", timestamp);
        if (SignatureVersion is not null)
        {
            Sign(json, $"Message\n{text}\nMessageId\n{id}\n{(subject is null ? "" : $"Subject\n{subject}\n")}Timestamp\n{timestamp}\nTopicArn\n{TopicArn}\nType\nNotification\n");
        }
        json.Add("UnsubscribeURL", $"{Base}/?Action=Unsubscribe&SubscriptionArn={SubscriptionArn}");
        if (attributes.Count > 0) json.Add(attributes);
        return json.End();
    }

    /// <summary>What an endpoint is asked or told of its subscription.</summary>
    public string Confirm(string type, Guid id, string text, string token, DateTimeOffset time)
    {
        var timestamp = Timestamp(time.ToUnixTimeMilliseconds());
        var url = $"{Base}/?Action=ConfirmSubscription&TopicArn={TopicArn}&Token={token}";
        var json = new Lines();
        json.Add("Type", type);
        json.Add("MessageId", id.ToString());
        json.Add("Token", token);
        json.Add("TopicArn", TopicArn);
        json.Add("Message", text);
        json.Add("SubscribeURL", url);
        json.Add("Timestamp", timestamp);
        Sign(json, $"Message\n{text}\nMessageId\n{id}\nSubscribeURL\n{url}\nTimestamp\n{timestamp}\nToken\n{token}\nTopicArn\n{TopicArn}\nType\n{type}\n");
        return json.End();
    }

    /// <summary>A sequence number: 20 digits that rise.</summary>
    public static string Sequence(long number) => (10_000_000_000_000_000_000 + (ulong)number * 1000).ToString(CultureInfo.InvariantCulture);

    private static string? SequenceOf(ReadOnlySpan<byte> text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? Sequence(number) : null;

    private static string Timestamp(long milliseconds) => DateTimeOffset.FromUnixTimeMilliseconds(Math.Max(0, milliseconds)).ToString(TimestampFormat, CultureInfo.InvariantCulture);

    private void Sign(Lines json, string text)
    {
        var version = SignatureVersion ?? "1";
        if (s_last.Text != text || s_last.Version != version) s_last = (text, version, Signer.Sign(text, version));
        json.Add("SignatureVersion", version);
        json.Add("Signature", s_last.Signature);
        // A certificate is only taken from an address that begins so.
        var host = Base[(Base.IndexOf("://", StringComparison.Ordinal) + 3)..];
        json.Add("SigningCertURL", $"https://{host}{Signer.CertificatePath}");
    }

    /// <summary>An object, a member to a line.</summary>
    private sealed class Lines
    {
        private readonly StringBuilder _text = new("{");

        public void Add(string name, string value)
        {
            _text.Append(_text.Length > 1 ? ",\n  " : "\n  ").Append('"').Append(name).Append("\" : ");
            Quote(value);
        }

        public void Add(List<MessageAttribute> attributes)
        {
            _text.Append(",\n  \"MessageAttributes\" : {");
            var first = true;
            foreach (var attribute in attributes)
            {
                _text.Append(first ? "\n    " : ",\n    ");
                first = false;
                Quote(attribute.Name);
                _text.Append(" : {\"Type\":");
                Quote(attribute.DataType);
                _text.Append(",\"Value\":");
                Quote(attribute.IsBinary ? Convert.ToBase64String(attribute.Value.Span) : TextOf(attribute.Value.Span));
                _text.Append('}');
            }
            _text.Append("\n  }");
        }

        public string End() => _text.Append("\n}").ToString();

        private void Quote(string value) => _text.Append('"').Append(JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(value)).Append('"');
    }

    /// <summary>The text for a protocol: its own of a message that has several, else the message's value.</summary>
    public static ReadOnlyMemory<byte> BodyFor(in MessageView message, string protocol)
    {
        if (message.Headers.TryGetLast(NotificationHeaders.Structure, out var structure) && structure.Length > 0)
        {
            try
            {
                using var document = JsonDocument.Parse(structure.Span.ToArray());
                if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(protocol, out var own) && own.ValueKind == JsonValueKind.String)
                    return Encoding.UTF8.GetBytes(own.GetString()!);
            }
            catch (JsonException)
            {
                // Whoever wrote the header by hand gets the message's value.
            }
        }
        return message.Value.Span.ToArray();
    }
}
