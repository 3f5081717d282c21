using System.Buffers.Text;
using Dragoman.Redis.Sessions;
using Dragoman.Redis.Wire;

namespace Dragoman.Redis.Commands;

/// <summary>GET, SET and their relatives.</summary>
internal static class StringCommands
{
    private const CommandFlags Read = CommandFlags.ReadOnly | CommandFlags.Fast;
    private const CommandFlags Write = CommandFlags.Write | CommandFlags.Fast;

    public static IReadOnlyList<Command> All { get; } =
    [
        new("get", 2, Read, static (session, request) => Get(session, request[1]), 1, 1, 1),
        new("set", -3, CommandFlags.Write, Set, 1, 1, 1),
        new("setnx", 3, Write, SetIfMissing, 1, 1, 1),
        new("setex", 4, CommandFlags.Write, static (session, request) => SetFor(session, request, 1000), 1, 1, 1),
        new("psetex", 4, CommandFlags.Write, static (session, request) => SetFor(session, request, 1), 1, 1, 1),
        new("getset", 3, Write, GetSet, 1, 1, 1),
        new("getdel", 2, Write, GetDelete, 1, 1, 1),
        new("mget", -2, Read, GetMany, 1, -1, 1),
        new("mset", -3, CommandFlags.Write, SetMany, 1, -1, 2),
        new("append", 3, Write, Append, 1, 1, 1),
        new("strlen", 2, Read, static (session, request) =>
        {
            lock (session.FrontEnd.Keys.Lock) session.Reply.Integer(session.Database.Find(request[1])?.Value.Length ?? 0);
        }, 1, 1, 1),
    ];

    private static void Get(RedisSession session, ReadOnlySpan<byte> key)
    {
        lock (session.FrontEnd.Keys.Lock)
        {
            if (session.Database.Find(key) is { } entry) session.Reply.Bulk(entry.Value);
            else session.Reply.Null();
        }
    }

    private static void Set(RedisSession session, Request request)
    {
        var keys = session.FrontEnd.Keys;
        var (onlyNew, onlyOld, keep, get) = (false, false, false, false);
        var expiresAt = -1L;
        for (var i = 3; i < request.Count; i++)
        {
            if (request.Is(i, "NX"u8) && !onlyOld) onlyNew = true;
            else if (request.Is(i, "XX"u8) && !onlyNew) onlyOld = true;
            else if (request.Is(i, "KEEPTTL"u8) && expiresAt < 0) keep = true;
            else if (request.Is(i, "GET"u8)) get = true;
            else if (i + 1 < request.Count && !keep && expiresAt < 0 && UnitOf(request, i) is { } unit)
            {
                if (!TryReadExpiry(request[++i], unit.PerUnit, unit.IsAbsolute ? 0 : keys.Now, out expiresAt, out var error))
                {
                    session.Reply.Error(error ?? Errors.InvalidExpiry("set"));
                    return;
                }
            }
            else
            {
                session.Reply.Error(Errors.Syntax);
                return;
            }
        }
        lock (keys.Lock)
        {
            var old = session.Database.Find(request[1]);
            var oldValue = old?.Value;
            var wanted = !(onlyNew && old is not null) && !(onlyOld && old is null);
            if (wanted)
            {
                if (!(keep ? session.Database.TryReplace(request[1], request[2]) : session.Database.TrySet(request[1], request[2], expiresAt)))
                {
                    session.Reply.Error(Errors.OutOfMemory);
                    return;
                }
                keys.Events.Tell('$', "set", session.Database.Number, request[1]);
                if (expiresAt >= 0) keys.Events.Tell('g', "expire", session.Database.Number, request[1]);
            }
            if (get && oldValue is not null) session.Reply.Bulk(oldValue);
            else if (get || !wanted) session.Reply.Null();
            else session.Reply.Ok();
        }
    }

    private static (long PerUnit, bool IsAbsolute)? UnitOf(Request request, int index)
    {
        if (request.Is(index, "EX"u8)) return (1000, false);
        if (request.Is(index, "PX"u8)) return (1, false);
        if (request.Is(index, "EXAT"u8)) return (1000, true);
        if (request.Is(index, "PXAT"u8)) return (1, true);
        return null;
    }

    private static bool TryReadExpiry(ReadOnlySpan<byte> text, long perUnit, long from, out long expiresAt, out string? error)
    {
        error = null;
        expiresAt = -1;
        if (!Utf8Parser.TryParse(text, out long amount, out var used) || used != text.Length)
        {
            error = Errors.NotAnInteger;
            return false;
        }
        if (amount <= 0 || amount > (long.MaxValue - from) / perUnit) return false;
        expiresAt = from + amount * perUnit;
        return true;
    }

    private static void SetFor(RedisSession session, Request request, long perUnit)
    {
        var keys = session.FrontEnd.Keys;
        if (!TryReadExpiry(request[2], perUnit, keys.Now, out var expiresAt, out var error))
        {
            session.Reply.Error(error ?? Errors.InvalidExpiry(request.Text(0).ToLowerInvariant()));
            return;
        }
        lock (keys.Lock)
        {
            if (!TrySet(session, request[1], request[3], expiresAt)) return;
            keys.Events.Tell('g', "expire", session.Database.Number, request[1]);
            session.Reply.Ok();
        }
    }

    private static void SetIfMissing(RedisSession session, Request request)
    {
        lock (session.FrontEnd.Keys.Lock)
        {
            if (session.Database.Find(request[1]) is not null) session.Reply.Integer(0);
            else if (TrySet(session, request[1], request[2])) session.Reply.Integer(1);
        }
    }

    private static void GetSet(RedisSession session, Request request)
    {
        lock (session.FrontEnd.Keys.Lock)
        {
            var old = session.Database.Find(request[1])?.Value;
            if (!TrySet(session, request[1], request[2])) return;
            if (old is null) session.Reply.Null();
            else session.Reply.Bulk(old);
        }
    }

    private static void GetDelete(RedisSession session, Request request)
    {
        lock (session.FrontEnd.Keys.Lock)
        {
            Get(session, request[1]);
            if (session.Database.Remove(request[1])) session.FrontEnd.Keys.Events.Tell('g', "del", session.Database.Number, request[1]);
        }
    }

    private static void GetMany(RedisSession session, Request request)
    {
        lock (session.FrontEnd.Keys.Lock)
        {
            session.Reply.Array(request.Count - 1);
            for (var i = 1; i < request.Count; i++) Get(session, request[i]);
        }
    }

    private static void SetMany(RedisSession session, Request request)
    {
        if (request.Count % 2 == 0)
        {
            session.Reply.Error("ERR wrong number of arguments for 'mset' command");
            return;
        }
        lock (session.FrontEnd.Keys.Lock)
        {
            for (var i = 1; i < request.Count; i += 2)
                if (!TrySet(session, request[i], request[i + 1])) return;
            session.Reply.Ok();
        }
    }

    private static void Append(RedisSession session, Request request)
    {
        lock (session.FrontEnd.Keys.Lock)
        {
            var old = session.Database.Find(request[1])?.Value ?? [];
            if (old.Length + (long)request[2].Length > RequestParser.MaxBulk)
            {
                session.Reply.Error("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
                return;
            }
            byte[] value = [.. old, .. request[2]];
            if (!session.Database.TryReplace(request[1], value))
            {
                session.Reply.Error(Errors.OutOfMemory);
                return;
            }
            session.FrontEnd.Keys.Events.Tell('$', "append", session.Database.Number, request[1]);
            session.Reply.Integer(value.Length);
        }
    }

    private static bool TrySet(RedisSession session, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long expiresAt = -1)
    {
        if (!session.Database.TrySet(key, value, expiresAt))
        {
            session.Reply.Error(Errors.OutOfMemory);
            return false;
        }
        session.FrontEnd.Keys.Events.Tell('$', "set", session.Database.Number, key);
        return true;
    }
}
