using Amazon.SQS.Model;

namespace Dragoman.Clients.Tests.Interop;

/// <summary>Puts what a table says of a message into what SQS' client sends, and finds it in what it receives.</summary>
internal static class SqsSpelling
{
    public static SendMessageRequest Write(Cell cell, string queueUrl, string body)
    {
        var request = new SendMessageRequest(queueUrl, body) { MessageAttributes = [] };
        foreach (var (place, value) in cell.Spellings)
        {
            switch (place.Split(' '))
            {
                case ["body"]:
                    request.MessageBody = value;
                    break;
                case ["MessageGroupId"]:
                    request.MessageGroupId = value;
                    break;
                case ["attribute", var name]:
                    request.MessageAttributes[name] = new MessageAttributeValue { DataType = "String", StringValue = value };
                    break;
                case ["attribute", var name, "binary"]:
                    request.MessageAttributes[name] = new MessageAttributeValue { DataType = "Binary", BinaryValue = new MemoryStream(Convert.FromHexString(value)) };
                    break;
                default:
                    throw new NotSupportedException($"SQS' senders have no '{place}'.");
            }
        }
        return request;
    }

    /// <summary>What a message has in a place.</summary>
    public static string? Read(Message message, string place) => place.Split(' ') switch
    {
        ["body"] => message.Body,
        ["MessageId"] => message.MessageId,
        ["MessageGroupId"] or ["SenderId"] => message.Attributes.GetValueOrDefault(place),
        ["attribute", var name] => Typed(message, name, "String")?.StringValue,
        ["attribute", var name, "number"] => Typed(message, name, "Number")?.StringValue,
        ["attribute", var name, "binary"] => Typed(message, name, "Binary") is { } bytes ? Convert.ToHexStringLower(bytes.BinaryValue.ToArray()) : null,
        _ => throw new NotSupportedException($"SQS has no '{place}'."),
    };

    private static MessageAttributeValue? Typed(Message message, string name, string type) =>
        message.MessageAttributes?.GetValueOrDefault(name) is { } attribute && attribute.DataType == type ? attribute : null;
}
