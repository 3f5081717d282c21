using System.Buffers.Text;
using Dragoman.Redis.Sessions;
using Dragoman.Redis.Wire;

namespace Dragoman.Redis.Commands;

/// <summary>EXPIRE, TTL, PERSIST and their relatives.</summary>
internal static class ExpiryCommands
{
    private const CommandFlags Write = CommandFlags.Write | CommandFlags.Fast;
    private const CommandFlags Read = CommandFlags.ReadOnly | CommandFlags.Fast;

    public static IReadOnlyList<Command> All { get; } =
    [
        new("expire", -3, Write, static (session, request) => Expire(session, request, 1000, isAbsolute: false), 1, 1, 1),
        new("pexpire", -3, Write, static (session, request) => Expire(session, request, 1, isAbsolute: false), 1, 1, 1),
        new("expireat", -3, Write, static (session, request) => Expire(session, request, 1000, isAbsolute: true), 1, 1, 1),
        new("pexpireat", -3, Write, static (session, request) => Expire(session, request, 1, isAbsolute: true), 1, 1, 1),
        new("ttl", 2, Read, static (session, request) => Left(session, request, 1000, isAbsolute: false), 1, 1, 1),
        new("pttl", 2, Read, static (session, request) => Left(session, request, 1, isAbsolute: false), 1, 1, 1),
        new("expiretime", 2, Read, static (session, request) => Left(session, request, 1000, isAbsolute: true), 1, 1, 1),
        new("pexpiretime", 2, Read, static (session, request) => Left(session, request, 1, isAbsolute: true), 1, 1, 1),
        new("persist", 2, Write, Persist, 1, 1, 1),
    ];

    private static void Expire(RedisSession session, Request request, long perUnit, bool isAbsolute)
    {
        var keys = session.FrontEnd.Keys;
        if (!Utf8Parser.TryParse(request[2], out long amount, out var used) || used != request[2].Length)
        {
            session.Reply.Error(Errors.NotAnInteger);
            return;
        }
        var from = isAbsolute ? 0 : keys.Now;
        if (amount > (long.MaxValue - from) / perUnit || amount < long.MinValue / perUnit)
        {
            session.Reply.Error(Errors.InvalidExpiry(request.Text(0).ToLowerInvariant()));
            return;
        }
        var at = from + amount * perUnit;
        bool onlyNone = false, onlySome = false, onlyLater = false, onlySooner = false;
        for (var i = 3; i < request.Count; i++)
        {
            if (request.Is(i, "NX"u8)) onlyNone = true;
            else if (request.Is(i, "XX"u8)) onlySome = true;
            else if (request.Is(i, "GT"u8)) onlyLater = true;
            else if (request.Is(i, "LT"u8)) onlySooner = true;
            else
            {
                session.Reply.Error($"ERR Unsupported option {request.Text(i)}");
                return;
            }
        }
        if (onlyNone && (onlySome || onlyLater || onlySooner) || onlyLater && onlySooner)
        {
            session.Reply.Error(onlyLater && onlySooner ? "ERR GT and LT options at the same time are not compatible" : "ERR NX and XX, GT or LT options at the same time are not compatible");
            return;
        }
        lock (keys.Lock)
        {
            var entry = session.Database.Find(request[1]);
            var current = entry?.ExpiresAt ?? -1;
            if (entry is null || onlyNone && current >= 0 || onlySome && current < 0
                || onlyLater && (current < 0 || at <= current) || onlySooner && current >= 0 && at >= current)
            {
                session.Reply.Integer(0);
                return;
            }
            if (at <= keys.Now)
            {
                session.Database.Remove(entry);
                keys.Events.Tell('g', "del", session.Database.Number, request[1]);
            }
            else
            {
                session.Database.SetExpiry(entry, at);
                keys.Events.Tell('g', "expire", session.Database.Number, request[1]);
            }
            session.Reply.Integer(1);
        }
    }

    private static void Left(RedisSession session, Request request, long perUnit, bool isAbsolute)
    {
        var keys = session.FrontEnd.Keys;
        lock (keys.Lock)
        {
            if (session.Database.Find(request[1]) is not { } entry) session.Reply.Integer(-2);
            else if (entry.ExpiresAt < 0) session.Reply.Integer(-1);
            else if (isAbsolute) session.Reply.Integer(entry.ExpiresAt / perUnit);
            else session.Reply.Integer((entry.ExpiresAt - keys.Now + perUnit / 2) / perUnit);
        }
    }

    private static void Persist(RedisSession session, Request request)
    {
        var keys = session.FrontEnd.Keys;
        lock (keys.Lock)
        {
            if (session.Database.Find(request[1]) is not { ExpiresAt: >= 0 } entry)
            {
                session.Reply.Integer(0);
                return;
            }
            session.Database.SetExpiry(entry, -1);
            keys.Events.Tell('g', "persist", session.Database.Number, request[1]);
            session.Reply.Integer(1);
        }
    }
}
