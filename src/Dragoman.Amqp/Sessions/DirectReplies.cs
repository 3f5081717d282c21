using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Dragoman.Amqp.Sessions;

/// <summary>
/// The consumer of direct replies of a channel: requests that are published with the pseudo-queue as <c>reply-to</c> carry
/// its address, and what is published to the default exchange under that address is delivered at once, past all queues.
/// </summary>
internal sealed class DirectReplies : IDisposable
{
    /// <summary>The name of the pseudo-queue.</summary>
    public const string QueueName = "amq.rabbitmq.reply-to";

    // Replies that wait for the requester to read are in memory; one that does not read loses them.
    private const long MaxWaiting = 32 << 20;

    private readonly Channel _channel;

    public DirectReplies(Channel channel, string tag)
    {
        _channel = channel;
        Tag = tag;
        // Whoever knows the address may send to it, so it cannot be guessed.
        Address = $"{QueueName}.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16))}";
        AddressBytes = Encoding.ASCII.GetBytes(Address);
        channel.Session.FrontEnd.Replies[Address] = this;
    }

    /// <summary>The name of the pseudo-queue.</summary>
    public static ReadOnlySpan<byte> Queue => "amq.rabbitmq.reply-to"u8;

    /// <summary>Whether a name is the pseudo-queue's, or an address.</summary>
    public static bool IsQueue(string name) => name == QueueName || name.StartsWith(QueueName + ".", StringComparison.Ordinal);

    /// <summary>The consumer's tag.</summary>
    public string Tag { get; }

    /// <summary>What requests carry as <c>reply-to</c>.</summary>
    public string Address { get; }

    /// <summary>The same in bytes.</summary>
    public byte[] AddressBytes { get; }

    /// <summary>Whether replies are still taken.</summary>
    public bool IsOpen => _channel.IsOpen && _channel.Replies == this;

    /// <summary>Delivers a reply.</summary>
    /// <returns>False if nobody takes it.</returns>
    public bool Deliver(ReadOnlySpan<byte> routingKey, ReadOnlySpan<byte> properties, in ReadOnlySequence<byte> body)
    {
        if (!IsOpen || _channel.Session.Output.Waiting > MaxWaiting) return false;
        _channel.SendReply(Tag, Encoding.UTF8.GetString(routingKey), properties, body);
        return true;
    }

    /// <summary>Takes no more replies.</summary>
    public void Dispose() => _channel.Session.FrontEnd.Replies.TryRemove(Address, out _);
}
