using System.Text.Json;
using Dragoman.Links.Definitions;
using RabbitMQ.Client;

namespace Dragoman.Links.Messages;

/// <summary>Properties that a shovel gives to all messages: <c>dest-publish-properties</c>.</summary>
internal static class PublishedProperties
{
    private static readonly string[] Texts = ["content_type", "content_encoding", "correlation_id", "reply_to", "expiration", "message_id", "type", "user_id", "app_id", "cluster_id"];

    private static readonly string[] Numbers = ["delivery_mode", "priority", "timestamp"];

    /// <summary>Says what is wrong with them, in RabbitMQ's words.</summary>
    public static void Check(string name, IReadOnlyList<KeyValuePair<string, JsonElement>> properties, List<string> problems)
    {
        foreach (var (key, value) in properties)
        {
            if (Texts.Contains(key))
            {
                if (value.ValueKind != JsonValueKind.String) problems.Add($"{key} should be binary, actually was {ParameterReader.Term(value)}");
            }
            else if (Numbers.Contains(key))
            {
                if (value.ValueKind != JsonValueKind.Number) problems.Add($"{key} should be a number, actually was {ParameterReader.Term(value)}");
            }
            else
            {
                problems.Add($"Unrecognised terms [{{<<\"{key}\">>,{ParameterReader.Term(value)}}}] in {name}");
            }
        }
    }

    /// <summary>Sets them.</summary>
    public static void Apply(IReadOnlyList<KeyValuePair<string, JsonElement>> properties, BasicProperties target)
    {
        foreach (var (key, value) in properties)
        {
            switch (key)
            {
                case "content_type":
                    target.ContentType = value.GetString();
                    break;
                case "content_encoding":
                    target.ContentEncoding = value.GetString();
                    break;
                case "correlation_id":
                    target.CorrelationId = value.GetString();
                    break;
                case "reply_to":
                    target.ReplyTo = value.GetString();
                    break;
                case "expiration":
                    target.Expiration = value.GetString();
                    break;
                case "message_id":
                    target.MessageId = value.GetString();
                    break;
                case "type":
                    target.Type = value.GetString();
                    break;
                case "user_id":
                    target.UserId = value.GetString();
                    break;
                case "app_id":
                    target.AppId = value.GetString();
                    break;
                case "cluster_id":
                    target.ClusterId = value.GetString();
                    break;
                case "delivery_mode":
                    target.DeliveryMode = (DeliveryModes)value.GetDouble();
                    break;
                case "priority":
                    target.Priority = (byte)Math.Clamp(value.GetDouble(), 0, 255);
                    break;
                case "timestamp":
                    target.Timestamp = new AmqpTimestamp((long)value.GetDouble());
                    break;
            }
        }
    }
}
