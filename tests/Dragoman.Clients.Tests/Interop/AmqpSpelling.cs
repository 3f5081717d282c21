using System.Globalization;
using System.Text;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Dragoman.Clients.Tests.Interop;

/// <summary>Puts what a table says of a message into AMQP's properties, and finds it there.</summary>
internal static class AmqpSpelling
{
    /// <summary>A message that AMQP's client is to publish.</summary>
    public sealed record Message(string RoutingKey, BasicProperties Properties, byte[] Body);

    public static Message Write(Cell cell, string body)
    {
        var properties = new BasicProperties();
        var routingKey = "";
        foreach (var (place, value) in cell.Spellings)
        {
            var number = long.TryParse(value, CultureInfo.InvariantCulture, out var parsed) ? parsed : 0;
            switch (place.Split(' '))
            {
                case ["body"]:
                    body = value;
                    break;
                case ["routing-key"]:
                    routingKey = value;
                    break;
                case ["content-type"]:
                    properties.ContentType = value;
                    break;
                case ["content-encoding"]:
                    properties.ContentEncoding = value;
                    break;
                case ["correlation-id"]:
                    properties.CorrelationId = value;
                    break;
                case ["reply-to"]:
                    properties.ReplyTo = value;
                    break;
                case ["message-id"]:
                    properties.MessageId = value;
                    break;
                case ["type"]:
                    properties.Type = value;
                    break;
                case ["app-id"]:
                    properties.AppId = value;
                    break;
                case ["user-id"]:
                    properties.UserId = value;
                    break;
                case ["cluster-id"]:
                    properties.ClusterId = value;
                    break;
                case ["expiration"]:
                    properties.Expiration = value;
                    break;
                case ["priority"]:
                    properties.Priority = (byte)number;
                    break;
                case ["delivery-mode"]:
                    properties.DeliveryMode = (DeliveryModes)number;
                    break;
                case ["timestamp"]:
                    properties.Timestamp = new AmqpTimestamp(number);
                    break;
                case ["header", var name, .. var type]:
                    (properties.Headers ??= new Dictionary<string, object?>())[name] = type switch
                    {
                        [] => value,
                        ["int"] => (int)number,
                        ["long"] => number,
                        ["bool"] => bool.Parse(value),
                        ["double"] => double.Parse(value, CultureInfo.InvariantCulture),
                        ["time"] => new AmqpTimestamp(number),
                        ["bytes"] => new BinaryTableValue(Convert.FromHexString(value)),
                        _ => throw new NotSupportedException($"AMQP has no '{place}'."),
                    };
                    break;
                default:
                    throw new NotSupportedException($"AMQP has no '{place}'.");
            }
        }
        return new Message(routingKey, properties, Encoding.UTF8.GetBytes(body));
    }

    /// <summary>What a delivery has in a place; of headers, only if they have the type that is asked for.</summary>
    public static string? Read(BasicDeliverEventArgs delivery, string place)
    {
        var properties = delivery.BasicProperties;
        return place.Split(' ') switch
        {
            ["body"] => Encoding.UTF8.GetString(delivery.Body.Span),
            ["routing-key"] => delivery.RoutingKey,
            ["exchange"] => delivery.Exchange,
            ["content-type"] => properties.ContentType,
            ["content-encoding"] => properties.ContentEncoding,
            ["correlation-id"] => properties.CorrelationId,
            ["reply-to"] => properties.ReplyTo,
            ["message-id"] => properties.MessageId,
            ["type"] => properties.Type,
            ["app-id"] => properties.AppId,
            ["user-id"] => properties.UserId,
            ["cluster-id"] => properties.ClusterId,
            ["expiration"] => properties.Expiration,
            ["priority"] => properties.IsPriorityPresent() ? Text(properties.Priority) : null,
            ["delivery-mode"] => properties.IsDeliveryModePresent() ? Text((int)properties.DeliveryMode) : null,
            ["timestamp"] => properties.IsTimestampPresent() ? Text(properties.Timestamp.UnixTime) : null,
            ["header", var name, .. var type] => properties.Headers is { } headers && headers.TryGetValue(name, out var value) ? Header(value, type) : null,
            _ => throw new NotSupportedException($"AMQP has no '{place}'."),
        };
    }

    private static string? Header(object? value, string[] type) => (type, value) switch
    {
        ([], byte[] text) => Encoding.UTF8.GetString(text),
        (["int"], int number) => Text(number),
        (["long"], long number) => Text(number),
        (["bool"], bool truth) => truth ? "true" : "false",
        (["double"], double real) => Text(real),
        (["time"], AmqpTimestamp time) => Text(time.UnixTime),
        (["bytes"], BinaryTableValue bytes) => Convert.ToHexStringLower(bytes.Bytes),
        _ => $"{value} of type {value?.GetType().Name}",
    };

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
}
