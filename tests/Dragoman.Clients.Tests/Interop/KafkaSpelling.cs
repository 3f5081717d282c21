using System.Globalization;
using System.Text;
using Confluent.Kafka;

namespace Dragoman.Clients.Tests.Interop;

/// <summary>Puts what a table says of a message into a Kafka record, and finds it there.</summary>
internal static class KafkaSpelling
{
    public static Message<byte[]?, byte[]?> Write(Cell cell, string body)
    {
        var message = new Message<byte[]?, byte[]?> { Value = Encoding.UTF8.GetBytes(body), Headers = [] };
        foreach (var (place, value) in cell.Spellings)
        {
            var bytes = Encoding.UTF8.GetBytes(value);
            switch (place.Split(' '))
            {
                case ["value"]:
                    message.Value = bytes;
                    break;
                case ["key"]:
                    message.Key = bytes;
                    break;
                case ["timestamp"]:
                    message.Timestamp = new Timestamp(long.Parse(value, CultureInfo.InvariantCulture), TimestampType.CreateTime);
                    break;
                case ["header", var name]:
                    message.Headers.Add(name, bytes);
                    break;
                case ["header", var name, "hex"]:
                    message.Headers.Add(name, Convert.FromHexString(value));
                    break;
                default:
                    throw new NotSupportedException($"Kafka has no '{place}'.");
            }
        }
        return message;
    }

    /// <summary>What a record has in a place.</summary>
    public static string? Read(Message<byte[]?, byte[]?> message, string place) => place.Split(' ') switch
    {
        ["value"] => Text(message.Value),
        ["key"] => Text(message.Key),
        ["timestamp"] => message.Timestamp.UnixTimestampMs.ToString(CultureInfo.InvariantCulture),
        ["header", var name] => message.Headers.TryGetLastBytes(name, out var value) ? Text(value) : null,
        ["header", var name, "hex"] => message.Headers.TryGetLastBytes(name, out var value) ? Convert.ToHexStringLower(value) : null,
        _ => throw new NotSupportedException($"Kafka has no '{place}'."),
    };

    private static string? Text(byte[]? bytes) => bytes is null ? null : Encoding.UTF8.GetString(bytes);
}
