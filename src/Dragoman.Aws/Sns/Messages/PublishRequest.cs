using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dragoman.Aws.Http;
using Dragoman.Aws.Sqs.Messages;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Notifications;

namespace Dragoman.Aws.Sns.Messages;

/// <summary>A message that a client publishes: checked, and ready to be handed on.</summary>
internal sealed class PublishRequest
{
    /// <summary>The most bytes of a message with its attributes, and of those of a batch together.</summary>
    public const int MaxBytes = 262_144;

    private const int MaxSubjectLength = 100;
    private const int MaxIdLength = 128;

    /// <summary>Bytes of text and attributes.</summary>
    public required int Size { get; init; }

    /// <summary>What is handed on.</summary>
    public required Notification Notification { get; init; }

    /// <summary>Reads a message of a request.</summary>
    /// <param name="input">The request, or an entry of its batch.</param>
    /// <param name="topic">The topic; null where it goes to an endpoint.</param>
    /// <param name="sender">Who publishes; null if it is not known.</param>
    /// <param name="trace">The trace that the request belongs to, as AWS X-Ray has it; null for none.</param>
    /// <param name="path">What errors call the place.</param>
    /// <exception cref="AwsException">Something is missing, too long or not allowed.</exception>
    public static PublishRequest Read(Input input, NotificationTopic? topic, string? sender, string? trace, string path = "")
    {
        var text = input.Text("Message") ?? throw SnsErrors.Null($"{path}message");
        if (text.Length == 0) throw SnsErrors.Invalid("Empty message");
        var subject = input.Text("Subject");
        if (subject is not null && (subject.Length is 0 or > MaxSubjectLength || !char.IsAscii(subject[0]) || char.IsWhiteSpace(subject[0]) || subject.Any(char.IsControl))) throw SnsErrors.Invalid("Subject");
        var structure = input.Text("MessageStructure");
        if (!string.IsNullOrEmpty(structure) && structure != "json") throw SnsErrors.Invalid("MessageStructure");
        var body = structure == "json" ? DefaultOf(text) : text;
        var attributes = NotificationAttributes.Read(input, path);
        var group = CheckedId(input.Text("MessageGroupId"), "MessageGroupId");
        var deduplication = CheckedId(input.Text("MessageDeduplicationId"), "MessageDeduplicationId");
        if (topic is { IsOrdered: true })
        {
            if (group is null) throw SnsErrors.Invalid("The MessageGroupId parameter is required for FIFO topics");
            if (deduplication is null && topic.Attributes.GetValueOrDefault(TopicAttributes.ContentBasedDeduplication) == "true") deduplication = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(body)));
            if (deduplication is null) throw SnsErrors.Invalid("The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly");
            // The scope may be the group alone.
            if (topic.Attributes.GetValueOrDefault(TopicAttributes.FifoThroughputScope) == "MessageGroup") deduplication = $"{group}{OutgoingMessage.ScopeSeparator}{deduplication}";
        }
        else if (deduplication is not null)
        {
            throw SnsErrors.Invalid("MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type");
        }
        var size = Encoding.UTF8.GetByteCount(text);
        foreach (var attribute in attributes) size += attribute.Size;
        if (size > MaxBytes) throw SnsErrors.Invalid("Message too long");
        return new PublishRequest
        {
            Size = size,
            Notification = new Notification
            {
                Id = Guid.NewGuid(),
                Body = Encoding.UTF8.GetBytes(body),
                Key = group,
                DeduplicationId = deduplication,
                WriteHeaders = headers =>
                {
                    if (sender is not null) headers.Add(CanonicalHeaders.UserId, Encoding.UTF8.GetBytes(sender));
                    if (!string.IsNullOrEmpty(trace)) headers.Add(IncomingMessage.TraceHeaderName, Encoding.UTF8.GetBytes(trace));
                    if (subject is not null) headers.Add(NotificationHeaders.Subject, Encoding.UTF8.GetBytes(subject));
                    if (structure == "json") headers.Add(NotificationHeaders.Structure, Encoding.UTF8.GetBytes(text));
                    NotificationAttributes.Write(attributes, headers);
                },
            },
        };
    }

    /// <summary>The text for whoever has none of its own.</summary>
    private static string DefaultOf(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty("default", out var found) && found.ValueKind == JsonValueKind.String)
                return found.GetString()!;
        }
        catch (JsonException)
        {
            throw SnsErrors.Invalid("Message Structure - JSON message body failed to parse");
        }
        throw SnsErrors.Invalid("Message Structure - No default entry in JSON message body");
    }

    private static string? CheckedId(string? id, string name)
    {
        if (id is null) return null;
        if (id.Length is > 0 and <= MaxIdLength && id.All(static c => c is > ' ' and <= '~')) return id;
        throw SnsErrors.Invalid($"{name} Reason: {name} can only include alphanumeric and punctuation characters. 1 to {MaxIdLength} in length");
    }
}
