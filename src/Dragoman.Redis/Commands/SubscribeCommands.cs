using Dragoman.Redis.Access;
using Dragoman.Redis.Sessions;
using Dragoman.Redis.Wire;

namespace Dragoman.Redis.Commands;

/// <summary>
/// SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE and their opposites. Each channel is confirmed by a message of its own, which comes
/// before all messages of the channel, or after all of them.
/// </summary>
internal static class SubscribeCommands
{
    private const CommandFlags Flags = CommandFlags.PubSub | CommandFlags.WhileSubscribed;

    public static IReadOnlyList<Command> All { get; } =
    [
        new("subscribe", -2, Flags, static (session, request) => Subscribe(session, request, SubscriptionKind.Channel)),
        new("psubscribe", -2, Flags, static (session, request) => Subscribe(session, request, SubscriptionKind.Pattern)),
        new("ssubscribe", -2, Flags, static (session, request) => Subscribe(session, request, SubscriptionKind.Shard)),
        new("unsubscribe", -1, Flags, static (session, request) => Unsubscribe(session, request, SubscriptionKind.Channel)),
        new("punsubscribe", -1, Flags, static (session, request) => Unsubscribe(session, request, SubscriptionKind.Pattern)),
        new("sunsubscribe", -1, Flags, static (session, request) => Unsubscribe(session, request, SubscriptionKind.Shard)),
    ];

    private static void Subscribe(RedisSession session, Request request, SubscriptionKind kind)
    {
        for (var i = 1; i < request.Count; i++)
        {
            var name = request[i];
            if (!ChannelAccess.MayListen(session, kind, name))
            {
                session.Reply.Error(Errors.NoChannelPermission);
                return;
            }
        }
        lock (session.Output.Lock)
        {
            for (var i = 1; i < request.Count; i++)
            {
                if (!session.Subscriptions.HasRoomFor(request[i]))
                {
                    session.Reply.Error(Errors.TooManySubscriptions);
                    break;
                }
                session.Subscriptions.Add(kind, request[i]);
                Confirm(session, kind, subscribed: true, request[i]);
            }
            session.SendRepliesLocked();
        }
    }

    private static void Unsubscribe(RedisSession session, Request request, SubscriptionKind kind)
    {
        lock (session.Output.Lock)
        {
            if (request.Count > 1)
            {
                for (var i = 1; i < request.Count; i++) Remove(session, kind, request[i]);
            }
            else
            {
                var names = session.Subscriptions.Names(kind);
                foreach (var name in names) Remove(session, kind, name);
                if (names.Count == 0) Confirm(session, kind, subscribed: false, default, isNothing: true);
            }
            session.SendRepliesLocked();
        }
    }

    private static void Remove(RedisSession session, SubscriptionKind kind, ReadOnlySpan<byte> name)
    {
        session.Subscriptions.Remove(kind, name);
        Confirm(session, kind, subscribed: false, name);
    }

    /// <summary>Says that a subscription has begun or ended, and how many there are.</summary>
    private static void Confirm(RedisSession session, SubscriptionKind kind, bool subscribed, ReadOnlySpan<byte> name, bool isNothing = false)
    {
        var subscriptions = session.Subscriptions;
        session.Reply.Push(3);
        session.Reply.Bulk((kind, subscribed) switch
        {
            (SubscriptionKind.Channel, true) => "subscribe"u8,
            (SubscriptionKind.Pattern, true) => "psubscribe"u8,
            (SubscriptionKind.Shard, true) => "ssubscribe"u8,
            (SubscriptionKind.Channel, false) => "unsubscribe"u8,
            (SubscriptionKind.Pattern, false) => "punsubscribe"u8,
            _ => "sunsubscribe"u8,
        });
        if (isNothing) session.Reply.Null();
        else session.Reply.Bulk(name);
        session.Reply.Integer(kind == SubscriptionKind.Shard ? subscriptions.Count(SubscriptionKind.Shard) : subscriptions.Count(SubscriptionKind.Channel) + subscriptions.Count(SubscriptionKind.Pattern));
    }
}
