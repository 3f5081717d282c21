using Dragoman.Broker.Channels;
using Dragoman.Redis.Access;
using Dragoman.Redis.Wire;

namespace Dragoman.Redis.Sessions;

/// <summary>What one connection listens to. Used by the connection's own loop.</summary>
internal sealed class SubscriptionTable(RedisSession session) : IChannelListener
{
    // What a subscription takes besides its name.
    private const int Overhead = 200;

    private readonly Dictionary<byte[], ChannelSubscription>?[] _byName = new Dictionary<byte[], ChannelSubscription>?[3];
    private ShardListener? _shards;
    private long _bytes;

    /// <summary>How many there are of a kind.</summary>
    public int Count(SubscriptionKind kind) => _byName[(int)kind]?.Count ?? 0;

    /// <summary>How many there are.</summary>
    public int Total => Count(SubscriptionKind.Channel) + Count(SubscriptionKind.Pattern) + Count(SubscriptionKind.Shard);

    /// <summary>The names of a kind.</summary>
    public IReadOnlyList<byte[]> Names(SubscriptionKind kind) => _byName[(int)kind] is { } names ? [.. names.Keys] : [];

    /// <summary>Whether another one may be had.</summary>
    public bool HasRoomFor(ReadOnlySpan<byte> name) => _bytes + name.Length + Overhead <= session.FrontEnd.Options.MaxSubscriptionBytes;

    /// <summary>Listens. The caller holds the output's lock.</summary>
    public void Add(SubscriptionKind kind, ReadOnlySpan<byte> name)
    {
        var names = _byName[(int)kind] ??= new Dictionary<byte[], ChannelSubscription>(ByteKeys.Comparer);
        var lookup = names.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (lookup.ContainsKey(name)) return;
        var added = kind switch
        {
            SubscriptionKind.Channel => session.FrontEnd.Channels.Subscribe(name, this),
            SubscriptionKind.Pattern => session.FrontEnd.Channels.SubscribePattern(name, this),
            _ => session.FrontEnd.Shards.Subscribe(name, _shards ??= new ShardListener(session)),
        };
        lookup[name] = added;
        _bytes += name.Length + Overhead;
        session.Output.Listens = true;
    }

    /// <summary>Stops to listen; no matter if it did not. The caller holds the output's lock.</summary>
    public void Remove(SubscriptionKind kind, ReadOnlySpan<byte> name)
    {
        if (_byName[(int)kind] is not { } names || !names.GetAlternateLookup<ReadOnlySpan<byte>>().Remove(name, out _, out var removed)) return;
        _bytes -= name.Length + Overhead;
        (kind == SubscriptionKind.Shard ? session.FrontEnd.Shards : session.FrontEnd.Channels).Unsubscribe(removed);
        if (Total == 0) session.Output.Listens = false;
    }

    /// <summary>Whether the client may listen to all that it listens to. The caller holds the output's lock.</summary>
    public bool MayKeepAll()
    {
        for (var kind = SubscriptionKind.Channel; kind <= SubscriptionKind.Shard; kind++)
            foreach (var name in Names(kind))
                if (!ChannelAccess.MayListen(session, kind, name)) return false;
        return true;
    }

    /// <summary>Stops to listen to anything.</summary>
    public void RemoveAll()
    {
        lock (session.Output.Lock)
        {
            for (var kind = SubscriptionKind.Channel; kind <= SubscriptionKind.Shard; kind++)
                foreach (var name in Names(kind)) Remove(kind, name);
        }
    }

    void IChannelListener.OnMessages(ChannelSubscription subscription, in ChannelMessages messages) =>
        session.OnMessages(subscription, subscription.IsPattern ? SubscriptionKind.Pattern : SubscriptionKind.Channel, messages);

    private sealed class ShardListener(RedisSession session) : IChannelListener
    {
        public void OnMessages(ChannelSubscription subscription, in ChannelMessages messages) => session.OnMessages(subscription, SubscriptionKind.Shard, messages);
    }
}
