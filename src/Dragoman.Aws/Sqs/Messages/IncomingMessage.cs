using System.Globalization;
using System.Text;
using System.Text.Unicode;
using Dragoman.Aws.Http;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage.Records;

namespace Dragoman.Aws.Sqs.Messages;

/// <summary>Shows a message that was received, whichever protocol sent it.</summary>
internal static class IncomingMessage
{
    private const ulong FirstSequenceNumber = 18_245_736_190_734_915_584;

    /// <summary>The record header of <see cref="OutgoingMessage.TraceHeader"/>.</summary>
    public static ReadOnlySpan<byte> TraceHeaderName => "aws-trace-header"u8;

    /// <summary>
    /// Whether a property is a message attribute of its name to SQS, and an attribute of that name the property to others: those
    /// that tell a reader about the message, and that no queue acts upon.
    /// </summary>
    public static bool IsSharedProperty(ReadOnlySpan<byte> name) =>
        name.SequenceEqual(CanonicalHeaders.ContentType) || name.SequenceEqual(CanonicalHeaders.ContentEncoding) || name.SequenceEqual(CanonicalHeaders.CorrelationId)
        || name.SequenceEqual(CanonicalHeaders.ReplyTo) || name.SequenceEqual(CanonicalHeaders.Type) || name.SequenceEqual(CanonicalHeaders.AppId);

    /// <summary>A message's sequence number: 20 digits that rise with the offset.</summary>
    public static string SequenceNumber(long offset) => (FirstSequenceNumber + (ulong)offset).ToString(CultureInfo.InvariantCulture);

    /// <summary>The id that a message without one has: always the same.</summary>
    public static string DerivedId(Guid queue, long offset)
    {
        Span<byte> bytes = stackalloc byte[24];
        queue.TryWriteBytes(bytes);
        BitConverter.TryWriteBytes(bytes[16..], offset);
        return new Guid(System.IO.Hashing.XxHash128.Hash(bytes)).ToString();
    }

    /// <summary>The id of a message.</summary>
    public static string IdOf(Guid queue, in MessageView message) =>
        message.Headers.TryGetLast(CanonicalHeaders.MessageId, out var id) && id.Length is > 0 and <= 256 ? Encoding.UTF8.GetString(id.Span) : DerivedId(queue, message.Offset);

    /// <summary>Writes a message.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="message">The message.</param>
    /// <param name="delivery">Its delivery.</param>
    /// <param name="wanted">What of it is asked for.</param>
    /// <param name="source">The queue, and what else is known of it.</param>
    public static void Write(Output output, in MessageView message, in Delivery delivery, WantedAttributes wanted, in MessageSource source)
    {
        var parts = Parts.Read(message, wanted);
        output.Text("MessageId", IdOf(source.Queue, message));
        Span<byte> handle = stackalloc byte[ReceiptHandle.Characters];
        new ReceiptHandle(source.Queue, new LeaseToken(delivery.Offset, delivery.Lease), source.ReceivedAt).Write(handle);
        output.Utf8("ReceiptHandle", handle);
        Span<byte> digits = stackalloc byte[32];
        var isText = Utf8.IsValid(message.Value.Span);
        // Bytes that are no text go as Base64: a body is text to every client.
        var body = isText ? message.Value.Span : Encoding.ASCII.GetBytes(Convert.ToBase64String(message.Value.Span));
        AttributeHash.OfBody(body, digits);
        output.Utf8("MD5OfBody", digits);
        output.Utf8("Body", body);
        if (wanted.AnySystem) WriteSystem(output, message, delivery, wanted, source, parts);
        if (!isText && wanted.Includes("content-transfer-encoding")) parts.Attributes.Add(new MessageAttribute("content-transfer-encoding", "String", "base64"u8.ToArray()));
        if (parts.Attributes.Count == 0) return;
        output.Text("MD5OfMessageAttributes", AttributeHash.Compute(parts.Attributes));
        output.BeginMap("MessageAttributes", "MessageAttribute");
        foreach (var attribute in parts.Attributes)
        {
            output.BeginEntry(attribute.Name);
            if (attribute.IsBinary) output.Bytes("BinaryValue", attribute.Value.Span);
            else output.Utf8("StringValue", attribute.Value.Span);
            output.Text("DataType", attribute.DataType);
            output.EndEntry();
        }
        output.EndMap();
    }

    private static void WriteSystem(Output output, in MessageView message, in Delivery delivery, WantedAttributes wanted, in MessageSource source, Parts parts)
    {
        var map = new OptionalMap(output, "Attributes", "Attribute");
        if (wanted.IncludesSystem("SenderId")) map.Entry("SenderId", parts.Sender ?? source.Account);
        if (wanted.IncludesSystem("ApproximateFirstReceiveTimestamp")) map.Entry("ApproximateFirstReceiveTimestamp", Text(source.FirstReceivedAt));
        if (wanted.IncludesSystem("ApproximateReceiveCount")) map.Entry("ApproximateReceiveCount", Text(delivery.Count + parts.EarlierDeliveries));
        if (wanted.IncludesSystem("SentTimestamp")) map.Entry("SentTimestamp", Text(message.Timestamp));
        if (source.IsFifo && wanted.IncludesSystem("SequenceNumber")) map.Entry("SequenceNumber", SequenceNumber(delivery.Offset));
        if (source.IsFifo && parts.DeduplicationId is { } id && wanted.IncludesSystem("MessageDeduplicationId")) map.Entry("MessageDeduplicationId", id[(id.IndexOf(OutgoingMessage.ScopeSeparator, StringComparison.Ordinal) + 1)..]);
        if (!message.Key.IsNull && Utf8.IsValid(message.Key.Span) && wanted.IncludesSystem("MessageGroupId")) map.Entry("MessageGroupId", Encoding.UTF8.GetString(message.Key.Span));
        if (parts.Trace is { } trace && wanted.IncludesSystem(OutgoingMessage.TraceHeader)) map.Entry(OutgoingMessage.TraceHeader, trace);
        if (parts.DeadLetterSource is { } queue && wanted.IncludesSystem("DeadLetterQueueSourceArn")) map.Entry("DeadLetterQueueSourceArn", QueueUrl.ArnOf(source.Region, source.Account, queue));
        map.End();
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>A map that is left out where it would be empty.</summary>
    private ref struct OptionalMap(Output output, string name, string element)
    {
        private bool _isOpen;

        public void Entry(string key, string value)
        {
            if (!_isOpen) output.BeginMap(name, element);
            _isOpen = true;
            output.Entry(key, value);
        }

        public readonly void End()
        {
            if (_isOpen) output.EndMap();
        }
    }

    /// <summary>What a message's headers say.</summary>
    private sealed class Parts
    {
        public string? Sender { get; private set; }

        public string? DeduplicationId { get; private set; }

        public string? Trace { get; private set; }

        public string? DeadLetterSource { get; private set; }

        public long EarlierDeliveries { get; private set; }

        public List<MessageAttribute> Attributes { get; } = [];

        public static Parts Read(in MessageView message, WantedAttributes wanted)
        {
            var parts = new Parts();
            ReadOnlySpan<byte> types = message.Headers.TryGetLast(HeaderTypes.Header, out var found) ? found.Span : default;
            foreach (var header in message.Headers) parts.Add(header.Key, header.Value, types, wanted);
            return parts;
        }

        private void Add(ReadOnlySpan<byte> name, NullableBytes value, ReadOnlySpan<byte> types, WantedAttributes wanted)
        {
            if (name.SequenceEqual(CanonicalHeaders.UserId)) Sender = Encoding.UTF8.GetString(value.Span);
            else if (name.SequenceEqual(CanonicalHeaders.DeduplicationId)) DeduplicationId = Encoding.UTF8.GetString(value.Span);
            else if (name.SequenceEqual(TraceHeaderName)) Trace = Encoding.UTF8.GetString(value.Span);
            else if (name.SequenceEqual(CanonicalHeaders.Deaths)) AddDeaths(DeathHistory.Decode(value.Span));
            else if (!FreeHeaders.IsProperty(name) || IsSharedProperty(name)) AddAttribute(name, value, HeaderTypes.Find(types, name), wanted);
        }

        private void AddDeaths(IReadOnlyList<Death> deaths)
        {
            if (deaths.Count == 0) return;
            DeadLetterSource = deaths[0].Queue;
            foreach (var death in deaths) EarlierDeliveries += death.Deliveries;
        }

        private void AddAttribute(ReadOnlySpan<byte> header, NullableBytes value, ReadOnlySpan<byte> type, WantedAttributes wanted)
        {
            if (!wanted.AnyMessage || value.Length == 0) return;
            var name = Encoding.UTF8.GetString(FreeHeaders.Unescape(header));
            if (!wanted.Includes(name)) return;
            // One letter is AMQP's; anything longer is what SQS and SNS call the type.
            var dataType = type.Length > 1
                ? Encoding.UTF8.GetString(type)
                : type.IsEmpty || type[0] is (byte)'t' or (byte)'V'
                    ? Utf8.IsValid(value.Span) ? "String" : "Binary"
                    : type[0] is (byte)'x' or (byte)'F' or (byte)'A' ? "Binary" : "Number";
            Attributes.Add(new MessageAttribute(name, dataType, value.Span.ToArray()));
        }
    }
}

/// <summary>Where a message was received.</summary>
/// <param name="Queue">The queue's id.</param>
/// <param name="IsFifo">Whether it keeps order.</param>
/// <param name="ReceivedAt">When the message was received this time, in milliseconds since 1970.</param>
/// <param name="FirstReceivedAt">When the message was received for the first time, in milliseconds since 1970.</param>
/// <param name="Region">The region that the client thinks it is in.</param>
/// <param name="Account">The account.</param>
internal readonly record struct MessageSource(Guid Queue, bool IsFifo, long ReceivedAt, long FirstReceivedAt, string Region, string Account);

/// <summary>Which attributes of messages a request asks for.</summary>
internal sealed class WantedAttributes
{
    private readonly IReadOnlyList<string> _system;
    private readonly IReadOnlyList<string> _message;
    private readonly bool _allSystem;

    private WantedAttributes(IReadOnlyList<string> system, IReadOnlyList<string> older, IReadOnlyList<string> message)
    {
        _system = older.Count == 0 ? system : system.Count == 0 ? older : [.. system, .. older];
        _message = message;
        _allSystem = _system.Contains(Sqs.Attributes.AttributeNames.All);
    }

    /// <summary>Whether any system attribute is asked for.</summary>
    public bool AnySystem => _system.Count > 0;

    /// <summary>Whether any attribute of messages is asked for.</summary>
    public bool AnyMessage => _message.Count > 0;

    /// <summary>Reads what a request says.</summary>
    public static WantedAttributes Read(Input input) => new(
        input.Texts("MessageSystemAttributeNames", "MessageSystemAttributeName"), input.Texts("AttributeNames", "AttributeName"), input.Texts("MessageAttributeNames", "MessageAttributeName"));

    /// <summary>Whether a system attribute is asked for.</summary>
    public bool IncludesSystem(string name) => _allSystem || _system.Contains(name);

    /// <summary>Whether an attribute is asked for: by its name, as all of them, or by how it begins (<c>prefix.*</c>).</summary>
    public bool Includes(string name)
    {
        foreach (var wanted in _message)
        {
            if (wanted == name || wanted is "All" or ".*" or "*") return true;
            if (wanted.EndsWith(".*", StringComparison.Ordinal) && name.AsSpan().StartsWith(wanted.AsSpan(0, wanted.Length - 2))) return true;
        }
        return false;
    }
}
