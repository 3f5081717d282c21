using System.Security.Cryptography;
using System.Text;
using Dragoman.Aws.Http;
using Dragoman.Aws.Sqs.Attributes;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Storage.Records;

namespace Dragoman.Aws.Sqs.Messages;

/// <summary>A message that a client sends: checked, and ready to be added to a batch.</summary>
internal sealed class OutgoingMessage
{
    /// <summary>The attribute that carries a trace, as AWS X-Ray has it; the only system attribute that may be sent.</summary>
    public const string TraceHeader = "AWSTraceHeader";

    /// <summary>Separates a group from a deduplication id that counts within it only.</summary>
    public const char ScopeSeparator = '\n';

    private const int MaxAttributes = 10;
    private const int MaxAttributeNameLength = 256;
    private const int MaxIdLength = 128;

    [ThreadStatic]
    private static Encoder? s_encoder;

    private OutgoingMessage()
    {
    }

    /// <summary>Its id.</summary>
    public Guid Id { get; } = RandomIds.Next();

    /// <summary>The group whose order is kept, or that shares fairly; null for none.</summary>
    public string? Group { get; private init; }

    /// <summary>The deduplication id, with its group where it counts within that only; null for none.</summary>
    public string? DeduplicationId { get; private init; }

    /// <summary>MD5 of the body, in hexadecimal.</summary>
    public required string BodyHash { get; init; }

    /// <summary>MD5 of the attributes, or null if there are none.</summary>
    public string? AttributesHash { get; private init; }

    /// <summary>MD5 of the system attributes, or null if there are none.</summary>
    public string? SystemHash { get; private init; }

    /// <summary>Bytes of body and attributes.</summary>
    public int Size { get; private init; }

    private int DelayMs { get; init; }

    private string? Trace { get; init; }

    private List<MessageAttribute> Attributes { get; init; } = [];

    private Input Input { get; init; } = null!;

    /// <summary>Reads a message of a request.</summary>
    /// <param name="input">The request, or an entry of its batch.</param>
    /// <param name="queue">The settings of the queue that it is sent to.</param>
    /// <param name="now">The time, in milliseconds since 1970.</param>
    /// <param name="xrayTrace">The trace that the request itself belongs to; null for none.</param>
    /// <exception cref="AwsException">Something is missing, too long or not allowed.</exception>
    public static OutgoingMessage Read(Input input, QueueSettings queue, long now, string? xrayTrace)
    {
        if (!input.TryUtf8("MessageBody", out var body) || body.IsEmpty) throw AwsException.MissingParameter("MessageBody");
        MessageText.Check(body);
        var attributes = ReadAttributes(input.StructureMap("MessageAttributes", "MessageAttribute"));
        var trace = xrayTrace;
        var system = ReadAttributes(input.StructureMap("MessageSystemAttributes", "MessageSystemAttribute"));
        foreach (var attribute in system)
        {
            if (attribute.Name != TraceHeader) throw AwsException.InvalidParameterValue($"Message system attribute name '{attribute.Name}' is invalid.");
            trace = Encoding.UTF8.GetString(attribute.Value.Span);
        }
        var isFifo = QueueAttributes.IsFifo(queue);
        var group = CheckedId(input.Text("MessageGroupId"), "MessageGroupId");
        var deduplication = CheckedId(input.Text("MessageDeduplicationId"), "MessageDeduplicationId");
        var delay = input.Integer("DelaySeconds");
        if (delay is < 0 or > QueueAttributes.MaxDelaySeconds)
            throw SqsErrors.InvalidParameter($"{delay}", "DelaySeconds", $"DelaySeconds must be >= 0 and <= {QueueAttributes.MaxDelaySeconds}.");
        if (isFifo)
        {
            if (group is null) throw AwsException.MissingParameter("MessageGroupId");
            if (delay is not null and not 0) throw SqsErrors.InvalidParameter($"{delay}", "DelaySeconds", "The request include parameter that is not valid for this queue type.");
            deduplication ??= QueueAttributes.DeduplicatesByContent(queue) ? Convert.ToHexStringLower(SHA256.HashData(body)) : null;
            if (deduplication is null) throw AwsException.InvalidParameterValue("The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly");
            if (QueueAttributes.DeduplicatesByGroup(queue, now)) deduplication = $"{group}{ScopeSeparator}{deduplication}";
        }
        else if (deduplication is not null)
        {
            throw SqsErrors.InvalidParameter(deduplication, "MessageDeduplicationId", "The request include parameter that is not valid for this queue type.");
        }
        var size = body.Length;
        foreach (var attribute in attributes) size += attribute.Size;
        Span<byte> digits = stackalloc byte[32];
        AttributeHash.OfBody(body, digits);
        return new OutgoingMessage
        {
            Input = input,
            Group = group,
            DeduplicationId = deduplication,
            BodyHash = Encoding.ASCII.GetString(digits),
            AttributesHash = attributes.Count > 0 ? AttributeHash.Compute(attributes) : null,
            SystemHash = system.Count > 0 ? AttributeHash.Compute(system) : null,
            Size = size,
            DelayMs = (delay ?? 0) * 1000,
            // In a FIFO queue the queue's delay is all there is.
            HasDelay = delay is not null && !isFifo,
            Trace = trace,
            Attributes = attributes,
        };
    }

    private bool HasDelay { get; init; }

    /// <summary>Adds it to a batch.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="now">The time, in milliseconds since 1970.</param>
    /// <param name="sender">The user that sends it; null if it is not known.</param>
    /// <param name="queue">The settings of the queue.</param>
    public void AddTo(MessageBatch batch, long now, string? sender, QueueSettings queue)
    {
        var encoder = s_encoder ??= new Encoder();
        Input.TryUtf8("MessageBody", out var body);
        // A delay of the message's own replaces the queue's, zero included.
        var deliverAt = HasDelay && (DelayMs > 0 || queue.DelayMs > 0) ? now + DelayMs : -1;
        var properties = new MessageProperties { Timestamp = now, DeliverAt = deliverAt, DeduplicationId = DeduplicationId };
        batch.Add(properties, Group is null ? default : Encoding.UTF8.GetBytes(Group), body, encoder.Write(Id, sender, Trace, Attributes));
    }

    /// <summary>Checks an id that a client has made up: of a group, of a copy, of an attempt to receive.</summary>
    /// <exception cref="AwsException">It is too long, or has other characters.</exception>
    public static string? CheckedId(string? id, string name)
    {
        if (id is null) return null;
        var isValid = id.Length is > 0 and <= MaxIdLength;
        foreach (var c in id) isValid &= c is > ' ' and <= '~';
        return isValid ? id : throw SqsErrors.InvalidParameter(id, name, $"{name} can only include alphanumeric and punctuation characters. 1 to {MaxIdLength} in length.");
    }

    private static List<MessageAttribute> ReadAttributes(IReadOnlyList<(string Key, Input Value)> map)
    {
        if (map.Count == 0) return [];
        if (map.Count > MaxAttributes) throw AwsException.InvalidParameterValue($"Number of message attributes [{map.Count}] exceeds the allowed maximum [{MaxAttributes}].");
        var attributes = new List<MessageAttribute>(map.Count);
        foreach (var (name, value) in map)
        {
            CheckName(name);
            var type = value.Text("DataType");
            if (string.IsNullOrEmpty(type)) throw AwsException.InvalidParameterValue($"The message attribute '{name}' must contain a non-empty message attribute type.");
            var kind = type.AsSpan(0, type.IndexOf('.', StringComparison.Ordinal) is var dot and >= 0 ? dot : type.Length);
            if (kind is not ("String" or "Number" or "Binary") || type.Length > MaxAttributeNameLength)
                throw AwsException.InvalidParameterValue($"The type of message (user) attribute '{name}' is invalid. You must use only the following supported type prefixes: Binary, Number, String.");
            ReadOnlyMemory<byte> bytes;
            if (kind is "Binary")
            {
                bytes = Base64Of(value.Text("BinaryValue"), name);
            }
            else
            {
                bytes = value.TryUtf8("StringValue", out var text) ? text.ToArray() : default;
                if (!MessageText.IsValid(bytes.Span)) throw AwsException.InvalidParameterValue($"Invalid characters found in the value of message (user) attribute '{name}'; the set of allowed characters is {MessageText.Allowed}.");
            }
            if (bytes.IsEmpty) throw AwsException.InvalidParameterValue($"Message (user) attribute '{name}' must contain a non-empty value of type '{kind}'.");
            if (kind is "Number" && !IsNumber(bytes.Span)) throw AwsException.InvalidParameterValue($"Can't cast the value of message (user) attribute '{name}' to a number.");
            attributes.Add(new MessageAttribute(name, type, bytes));
        }
        return attributes;
    }

    private static bool IsNumber(ReadOnlySpan<byte> text) =>
        double.TryParse(text, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out _);

    private static byte[] Base64Of(string? text, string name)
    {
        try
        {
            return text is null ? [] : Convert.FromBase64String(text);
        }
        catch (FormatException)
        {
            throw AwsException.InvalidParameterValue($"The value of message (user) attribute '{name}' is not valid Base64.");
        }
    }

    private static void CheckName(string name)
    {
        var isValid = name.Length is > 0 and <= MaxAttributeNameLength && name[0] != '.' && name[^1] != '.' && !name.Contains("..", StringComparison.Ordinal);
        foreach (var c in name) isValid &= char.IsLetterOrDigit(c) || c is '_' or '-' or '.';
        if (!isValid)
            throw AwsException.InvalidParameterValue($"Invalid message attribute name '{name}': it has 1 to {MaxAttributeNameLength} letters, digits and characters '_', '-' and '.', and no '.' at its ends or beside another.");
        if (name.StartsWith("AWS.", StringComparison.OrdinalIgnoreCase) || name.StartsWith("Amazon.", StringComparison.OrdinalIgnoreCase))
            throw AwsException.InvalidParameterValue($"The message attribute name '{name}' is reserved: it must not begin with 'AWS.' or 'Amazon.'.");
    }

    /// <summary>Turns what is not the body into record headers; one for each thread, as long as that lives.</summary>
    [System.Diagnostics.CodeAnalysis.SuppressMessage("Design", "CA1001", Justification = "It is the thread's, and its buffers are small.")]
    private sealed class Encoder
    {
        private readonly RecordHeadersWriter _headers = new();
        private readonly PooledBuffer _types = new();
        private readonly PooledBuffer _name = new();

        public RecordHeaders Write(Guid id, string? sender, string? trace, List<MessageAttribute> attributes)
        {
            _headers.Clear();
            _types.Clear();
            Span<byte> digits = stackalloc byte[36];
            id.TryFormat(digits, out var length);
            _headers.Add(CanonicalHeaders.MessageId, digits[..length]);
            if (sender is not null) _headers.Add(CanonicalHeaders.UserId, Encoding.UTF8.GetBytes(sender));
            if (trace is not null) _headers.Add(IncomingMessage.TraceHeaderName, Encoding.UTF8.GetBytes(trace));
            foreach (var attribute in attributes)
            {
                _name.Clear();
                var name = Encoding.UTF8.GetBytes(attribute.Name);
                if (FreeHeaders.NeedsEscape(name) && !IncomingMessage.IsSharedProperty(name)) _name.Write(FreeHeaders.Escape);
                _name.Write(name);
                _headers.Add(_name.WrittenSpan, attribute.Value.Span);
                if (attribute.DataType != "String") HeaderTypes.Add(_types, _name.WrittenSpan, Encoding.UTF8.GetBytes(attribute.DataType));
            }
            if (_types.Length > 0) _headers.Add(HeaderTypes.Header, _types.WrittenSpan);
            return _headers.Headers;
        }
    }
}
