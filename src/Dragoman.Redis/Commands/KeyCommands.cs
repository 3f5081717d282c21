using System.Buffers.Text;
using System.IO.Hashing;
using Dragoman.Broker.Channels;
using Dragoman.Redis.Sessions;
using Dragoman.Redis.Wire;

namespace Dragoman.Redis.Commands;

/// <summary>DEL, EXISTS, TYPE, KEYS, SCAN, DBSIZE and FLUSHALL: keys whatever their values.</summary>
internal static class KeyCommands
{
    public static IReadOnlyList<Command> All { get; } =
    [
        new("del", -2, CommandFlags.Write, Delete, 1, -1, 1),
        new("unlink", -2, CommandFlags.Write | CommandFlags.Fast, Delete, 1, -1, 1),
        new("exists", -2, CommandFlags.ReadOnly | CommandFlags.Fast, Exists, 1, -1, 1),
        new("touch", -2, CommandFlags.ReadOnly | CommandFlags.Fast, Exists, 1, -1, 1),
        new("type", 2, CommandFlags.ReadOnly | CommandFlags.Fast, static (session, request) =>
        {
            lock (session.FrontEnd.Keys.Lock) session.Reply.Simple(session.Database.Find(request[1]) is null ? "none"u8 : "string"u8);
        }, 1, 1, 1),
        new("keys", 2, CommandFlags.ReadOnly, Keys),
        new("scan", -2, CommandFlags.ReadOnly, Scan),
        new("dbsize", 1, CommandFlags.ReadOnly | CommandFlags.Fast, static (session, _) =>
        {
            lock (session.FrontEnd.Keys.Lock) session.Reply.Integer(session.Database.Keys.Count());
        }),
        new("flushdb", -1, CommandFlags.Write, static (session, request) => Flush(session, request, session.Database)),
        new("flushall", -1, CommandFlags.Write, static (session, request) => Flush(session, request, null)),
    ];

    private static void Delete(RedisSession session, Request request)
    {
        var keys = session.FrontEnd.Keys;
        lock (keys.Lock)
        {
            var deleted = 0;
            for (var i = 1; i < request.Count; i++)
            {
                if (!session.Database.Remove(request[i])) continue;
                keys.Events.Tell('g', "del", session.Database.Number, request[i]);
                deleted++;
            }
            session.Reply.Integer(deleted);
        }
    }

    private static void Exists(RedisSession session, Request request)
    {
        lock (session.FrontEnd.Keys.Lock)
        {
            var found = 0;
            for (var i = 1; i < request.Count; i++)
                if (session.Database.Find(request[i]) is not null) found++;
            session.Reply.Integer(found);
        }
    }

    private static void Keys(RedisSession session, Request request)
    {
        var glob = new Glob(request[1]);
        lock (session.FrontEnd.Keys.Lock)
        {
            var found = session.Database.Keys.Where(key => glob.Matches(key)).ToList();
            session.Reply.Array(found.Count);
            foreach (var key in found) session.Reply.Bulk(key);
        }
    }

    /// <summary>Goes through the keys in the order of their hashes, so that a key that stays is met, whatever comes and goes.</summary>
    private static void Scan(RedisSession session, Request request)
    {
        if (!Utf8Parser.TryParse(request[1], out ulong cursor, out var used) || used != request[1].Length)
        {
            session.Reply.Error("ERR invalid cursor");
            return;
        }
        Glob? glob = null;
        var count = 10;
        var ofStrings = true;
        for (var i = 2; i + 1 < request.Count; i += 2)
        {
            if (request.Is(i, "MATCH"u8))
            {
                glob = new Glob(request[i + 1]);
            }
            else if (request.Is(i, "TYPE"u8))
            {
                ofStrings = request.Is(i + 1, "STRING"u8);
            }
            else if (!request.Is(i, "COUNT"u8) || !Utf8Parser.TryParse(request[i + 1], out count, out used) || used != request[i + 1].Length || count < 1)
            {
                session.Reply.Error(Errors.Syntax);
                return;
            }
        }
        List<(ulong Hash, byte[] Key)> page;
        lock (session.FrontEnd.Keys.Lock)
            page = [.. session.Database.Keys.Select(key => (Hash: XxHash3.HashToUInt64(key) >> 1, Key: key)).Where(pair => pair.Hash >= cursor).OrderBy(pair => pair.Hash).Take(count + 1)];
        var next = 0UL;
        if (page.Count > count)
        {
            next = page[count].Hash;
            page.RemoveAt(count);
        }
        var found = page.Where(pair => ofStrings && glob?.Matches(pair.Key) != false).ToList();
        session.Reply.Array(2);
        session.Reply.Bulk(next.ToString(System.Globalization.CultureInfo.InvariantCulture));
        session.Reply.Array(found.Count);
        foreach (var (_, key) in found) session.Reply.Bulk(key);
    }

    private static void Flush(RedisSession session, Request request, Keys.Database? one)
    {
        if (request.Count > 2 || request.Count == 2 && !request.Is(1, "ASYNC"u8) && !request.Is(1, "SYNC"u8))
        {
            session.Reply.Error(Errors.Syntax);
            return;
        }
        lock (session.FrontEnd.Keys.Lock)
        {
            if (one is not null) one.Clear();
            else for (var i = 0; i < Redis.Keys.KeyStore.Databases; i++) session.FrontEnd.Keys[i].Clear();
        }
        session.Reply.Ok();
    }
}
