namespace Dragoman.Protocols.Connections;

/// <summary>What went over some connections.</summary>
/// <param name="ReceivedBytes">Bytes received.</param>
/// <param name="ReceivedPackets">Times that something was received.</param>
/// <param name="SentBytes">Bytes sent.</param>
/// <param name="SentPackets">Times that something was sent.</param>
public readonly record struct Traffic(long ReceivedBytes, long ReceivedPackets, long SentBytes, long SentPackets)
{
    /// <summary>The sum of this and what went over one more connection.</summary>
    internal Traffic With(LiveConnection connection) => new(
        ReceivedBytes + connection.ReceivedBytes, ReceivedPackets + connection.ReceivedPackets, SentBytes + connection.SentBytes, SentPackets + connection.SentPackets);
}
