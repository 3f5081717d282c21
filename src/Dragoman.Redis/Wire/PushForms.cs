using Dragoman.Broker.Channels;
using Dragoman.Storage.Records;

namespace Dragoman.Redis.Wire;

/// <summary>A message of a channel as subscribers get it: encoded once for all of one RESP version.</summary>
internal sealed class PushForm : MessageForm
{
    private readonly byte[] _head;
    private readonly bool _withPattern;

    private PushForm(int protocol, string kind, bool withPattern = false)
    {
        _head = System.Text.Encoding.ASCII.GetBytes($"{(protocol == 2 ? '*' : '>')}{(withPattern ? 4 : 3)}\r\n${kind.Length}\r\n{kind}\r\n");
        _withPattern = withPattern;
    }

    private static readonly PushForm Message2 = new(2, "message");
    private static readonly PushForm Message3 = new(3, "message");
    private static readonly PushForm Pattern2 = new(2, "pmessage", true);
    private static readonly PushForm Pattern3 = new(3, "pmessage", true);
    private static readonly PushForm Shard2 = new(2, "smessage");
    private static readonly PushForm Shard3 = new(3, "smessage");

    /// <summary>The form for those who listen in a way.</summary>
    public static PushForm Of(SubscriptionKind kind, int protocol) => kind switch
    {
        SubscriptionKind.Channel => protocol == 2 ? Message2 : Message3,
        SubscriptionKind.Pattern => protocol == 2 ? Pattern2 : Pattern3,
        _ => protocol == 2 ? Shard2 : Shard3,
    };

    /// <inheritdoc/>
    public override void Encode(scoped in ChannelMessage message, PooledBuffer target)
    {
        ArgumentNullException.ThrowIfNull(target);
        target.Write(_head);
        if (_withPattern) ReplyWriter.WriteBulk(target, message.Pattern);
        ReplyWriter.WriteBulk(target, message.Channel);
        ReplyWriter.WriteBulk(target, message.Payload);
    }
}

/// <summary>The ways of listening.</summary>
internal enum SubscriptionKind
{
    /// <summary>To a channel by its name.</summary>
    Channel,

    /// <summary>To the channels that match a pattern.</summary>
    Pattern,

    /// <summary>To a channel of a shard.</summary>
    Shard,
}
