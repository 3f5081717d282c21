using System.Buffers;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Messages;

/// <summary>Why a message was dead-lettered.</summary>
public enum DeathReason : byte
{
    /// <summary>A consumer refused it.</summary>
    Rejected = 1,

    /// <summary>It was not delivered in time.</summary>
    Expired = 2,

    /// <summary>The queue was too long.</summary>
    MaxLength = 3,

    /// <summary>It was delivered too often.</summary>
    DeliveryLimit = 4,
}

/// <summary>What is remembered of the times that a message was dead-lettered from one queue for one reason.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Reason">Why.</param>
/// <param name="Count">How often.</param>
/// <param name="FirstTime">When for the first time, in milliseconds since 1970.</param>
/// <param name="Topic">The topic that it had been published to; empty for the queue itself.</param>
/// <param name="RoutingKeys">What it had been routed by.</param>
/// <param name="OriginalLifetimeMs">The lifetime that its publisher gave it, in milliseconds, or -1; it has none after that.</param>
/// <param name="Deliveries">How often it had been delivered there.</param>
public sealed record Death(
    string Queue, DeathReason Reason, long Count, long FirstTime, string Topic, IReadOnlyList<string> RoutingKeys, long OriginalLifetimeMs, long Deliveries = 0);

/// <summary>
/// The dead-lettering of a message so far, newest first: the value of <see cref="CanonicalHeaders.Deaths"/>, which AMQP
/// shows as <c>x-death</c>.
/// </summary>
public static class DeathHistory
{
    // Version 2 added the deliveries.
    private const byte Version = 2;

    /// <summary>Encodes a history.</summary>
    public static byte[] Encode(IReadOnlyList<Death> deaths)
    {
        ArgumentNullException.ThrowIfNull(deaths);
        var buffer = new ArrayBufferWriter<byte>(256);
        var writer = new SnapshotWriter(buffer);
        writer.Byte(Version);
        writer.Int32(deaths.Count);
        foreach (var death in deaths)
        {
            writer.Text(death.Queue);
            writer.Byte((byte)death.Reason);
            writer.Int64(death.Count);
            writer.Int64(death.FirstTime);
            writer.Text(death.Topic);
            writer.Int32(death.RoutingKeys.Count);
            foreach (var key in death.RoutingKeys) writer.Text(key);
            writer.Int64(death.OriginalLifetimeMs);
            writer.Int64(death.Deliveries);
        }
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>Decodes a history; what a client has put under the header's name, and is none, counts as no history.</summary>
    public static IReadOnlyList<Death> Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var reader = new SnapshotReader(bytes);
            var version = reader.Version(Version, "death history");
            var deaths = new List<Death>();
            for (var n = reader.Count(); n > 0; n--)
            {
                var queue = reader.Text();
                var reason = (DeathReason)reader.Byte();
                var count = reader.Int64();
                var time = reader.Int64();
                var topic = reader.Text();
                var keys = new List<string>();
                for (var k = reader.Count(); k > 0; k--) keys.Add(reader.Text());
                deaths.Add(new Death(queue, reason, count, time, topic, keys, reader.Int64(), version >= 2 ? reader.Int64() : 0));
            }
            reader.End("death history");
            return deaths;
        }
        catch (CorruptDataException)
        {
            return [];
        }
    }
}
