using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Dragoman.Redis.Sessions;
using Dragoman.Redis.Wire;

namespace Dragoman.Redis.Commands;

/// <summary>CLIENT: what a connection says of itself, and what there is to know of others.</summary>
internal static class ClientCommand
{
    public static Command Create() => Command.WithSubcommands(
        "client",
        new("id", 2, CommandFlags.Fast, static (session, _) => session.Reply.Integer(session.Id)),
        new("getname", 2, CommandFlags.Fast, static (session, _) =>
        {
            if (session.ClientName.Length == 0) session.Reply.Null();
            else session.Reply.Bulk(session.ClientName);
        }),
        new("setname", 3, CommandFlags.Fast, static (session, request) =>
        {
            if (TrySetName(session, request.Text(2))) session.Reply.Ok();
        }),
        new("setinfo", 4, CommandFlags.Fast, SetInfo),
        new("info", 2, CommandFlags.Fast, static (session, _) => session.Reply.Verbatim(session.Describe() + "\n")),
        new("list", -2, CommandFlags.Admin, List),
        new("kill", -3, CommandFlags.Admin, Kill),
        new("reply", 3, CommandFlags.Fast, SetReplies),
        new("no-evict", 3, CommandFlags.Fast, static (session, request) => session.NoEvict = Switch(session, request, session.NoEvict)),
        new("no-touch", 3, CommandFlags.Fast, static (session, request) => session.NoTouch = Switch(session, request, session.NoTouch)),
        new("getredir", 2, CommandFlags.Fast, static (session, _) => session.Reply.Integer(-1)),
        new("unblock", -3, CommandFlags.Admin, static (session, _) => session.Reply.Integer(0)),
        new("help", 2, CommandFlags.Fast, static (session, _) => Help.Write(session, "CLIENT", "GETNAME", "GETREDIR", "ID", "INFO", "KILL <option>", "LIST [options ...]", "NO-EVICT (ON|OFF)", "NO-TOUCH (ON|OFF)", "REPLY (ON|OFF|SKIP)", "SETINFO <option> <value>", "SETNAME <name>", "UNBLOCK <clientid>")));

    /// <summary>Names the connection; writes what is wrong with the name if it cannot be one.</summary>
    public static bool TrySetName(RedisSession session, string name)
    {
        if (!IsPlain(name))
        {
            session.Reply.Error("ERR Client names cannot contain spaces, newlines or special characters.");
            return false;
        }
        session.ClientName = name;
        return true;
    }

    private static bool IsPlain(string text)
    {
        foreach (var c in text)
            if (c is < '!' or > '~') return false;
        return true;
    }

    private static void SetInfo(RedisSession session, Request request)
    {
        var value = request.Text(3);
        if (!request.Is(2, "LIB-NAME"u8) && !request.Is(2, "LIB-VER"u8))
        {
            session.Reply.Error($"ERR Unrecognized option '{request.Text(2)}'");
            return;
        }
        if (!IsPlain(value))
        {
            session.Reply.Error($"ERR {request.Text(2).ToLowerInvariant()} cannot contain spaces, newlines or special characters.");
            return;
        }
        if (request.Is(2, "LIB-NAME"u8)) session.LibraryName = value;
        else session.LibraryVersion = value;
        session.Reply.Ok();
    }

    private static void SetReplies(RedisSession session, Request request)
    {
        if (request.Is(2, "ON"u8))
        {
            session.ReplyMode = ReplyMode.On;
            session.Reply.Ok();
        }
        else if (request.Is(2, "OFF"u8))
        {
            session.ReplyMode = ReplyMode.Off;
        }
        else if (request.Is(2, "SKIP"u8))
        {
            if (session.ReplyMode != ReplyMode.Off) session.ReplyMode = ReplyMode.SkipNext;
        }
        else
        {
            session.Reply.Error(Errors.Syntax);
        }
    }

    private static bool Switch(RedisSession session, Request request, bool current)
    {
        var on = request.Is(2, "ON"u8);
        if (!on && !request.Is(2, "OFF"u8))
        {
            session.Reply.Error(Errors.Syntax);
            return current;
        }
        session.Reply.Ok();
        return on;
    }

    private static void List(RedisSession session, Request request)
    {
        if (!TryReadFilter(session, request, 2, out var filter)) return;
        var text = new StringBuilder();
        foreach (var other in session.FrontEnd.Sessions.Values.OrderBy(static s => s.Id))
            if (filter(other)) text.Append(other.Describe()).Append('\n');
        session.Reply.Verbatim(text.ToString());
    }

    private static void Kill(RedisSession session, Request request)
    {
        if (request.Count == 3)
        {
            var address = request.Text(2);
            foreach (var other in session.FrontEnd.Sessions.Values)
            {
                if (RedisSession.AddressOf(other.Remote) != address) continue;
                End(session, other);
                session.Reply.Ok();
                return;
            }
            session.Reply.Error("ERR No such client");
            return;
        }
        if (!TryReadFilter(session, request, 2, out var filter)) return;
        var spared = true;
        for (var i = 2; i + 1 < request.Count; i++)
            if (request.Is(i, "SKIPME"u8)) spared = !request.Is(i + 1, "NO"u8);
        var ended = 0;
        foreach (var other in session.FrontEnd.Sessions.Values)
        {
            if (spared && other == session || !filter(other)) continue;
            End(session, other);
            ended++;
        }
        session.Reply.Integer(ended);
    }

    private static void End(RedisSession session, RedisSession other)
    {
        // The one that asks hears how it went, and goes then.
        if (other == session) session.Close();
        else other.Disconnect($"connection {session.Id} asked for it");
    }

    private static bool TryReadFilter(RedisSession session, Request request, int from, out Predicate<RedisSession> filter)
    {
        Predicate<RedisSession> all = static _ => true;
        filter = all;
        for (var i = from; i < request.Count; i += 2)
        {
            if (i + 1 >= request.Count)
            {
                session.Reply.Error(Errors.Syntax);
                return false;
            }
            var before = filter;
            var value = request.Text(i + 1);
            if (request.Is(i, "ID"u8))
            {
                var ids = new HashSet<long>();
                while (i + 1 < request.Count && Utf8Parser.TryParse(request[i + 1], out long id, out var used) && used == request[i + 1].Length)
                {
                    ids.Add(id);
                    i++;
                }
                if (ids.Count == 0)
                {
                    session.Reply.Error("ERR Invalid client ID");
                    return false;
                }
                i--;
                filter = s => before(s) && ids.Contains(s.Id);
            }
            else if (request.Is(i, "TYPE"u8))
            {
                var kind = value.ToUpperInvariant();
                if (kind is not ("NORMAL" or "PUBSUB" or "MASTER" or "REPLICA" or "SLAVE"))
                {
                    session.Reply.Error($"ERR Unknown client type '{value}'");
                    return false;
                }
                filter = s => before(s) && (s.Subscriptions.Total > 0 ? "PUBSUB" : "NORMAL") == kind;
            }
            else if (request.Is(i, "ADDR"u8))
            {
                filter = s => before(s) && RedisSession.AddressOf(s.Remote) == value;
            }
            else if (request.Is(i, "LADDR"u8))
            {
                filter = s => before(s) && RedisSession.AddressOf(s.Local) == value;
            }
            else if (request.Is(i, "USER"u8))
            {
                filter = s => before(s) && (s.Identity.User ?? Access.RedisLogin.DefaultUser) == value;
            }
            else if (request.Is(i, "MAXAGE"u8) && long.TryParse(value, CultureInfo.InvariantCulture, out var age))
            {
                filter = s => before(s) && (s.FrontEnd.Broker.Time.GetUtcNow() - s.CreatedAt).TotalSeconds >= age;
            }
            else if (!request.Is(i, "SKIPME"u8))
            {
                session.Reply.Error(Errors.Syntax);
                return false;
            }
        }
        return true;
    }
}
