using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Amqp;

/// <summary>How the AMQP 0-9-1 front end behaves.</summary>
public sealed record AmqpOptions
{
    /// <summary>The largest frame that is proposed to clients, in bytes, its envelope included. They may ask for less, down to 4096.</summary>
    public int FrameMax { get; init; } = 131_072;

    /// <summary>The most channels of one connection.</summary>
    public int ChannelMax { get; init; } = 2047;

    /// <summary>The seconds between signs of life that are proposed to clients; they may ask for others, or 0 for none.</summary>
    public int HeartbeatSeconds { get; init; } = 60;

    /// <summary>
    /// The clock of signs of life and of the handshake: these are about the network, so it does not follow a broker's clock
    /// that tests move, or they would lose their connections with it. Null for the broker's.
    /// </summary>
    public TimeProvider? NetworkTime { get; init; }

    /// <summary>How long a client may take until its connection is open.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How long a client may hold a message that it neither acknowledges nor refuses, unless the queue's
    /// <c>x-consumer-timeout</c> says otherwise; RabbitMQ's <c>consumer_timeout</c>. Looked at every few seconds.
    /// </summary>
    public TimeSpan ConsumerTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>The largest body of a message, in bytes; RabbitMQ's <c>max_message_size</c>, whose default was this up to 3.13.</summary>
    public int MaxMessageBytes { get; init; } = 128 << 20;

    /// <summary>Bytes of bodies in more than one frame that all connections together gather.</summary>
    public long MaxGatheredBytes { get; init; } = 512 << 20;

    /// <summary>
    /// What the server calls itself. Client libraries decide by it which extensions there are and how <c>basic.qos</c>
    /// works, so it names the product whose behaviour this front end has.
    /// </summary>
    public string Product { get; init; } = "RabbitMQ";

    /// <summary>The version of that behaviour.</summary>
    public string ProductVersion { get; init; } = RabbitMqRelease.Version;
}
