using System.Buffers.Text;
using Dragoman.Redis.Access;
using Dragoman.Redis.Keys;
using Dragoman.Redis.Sessions;
using Dragoman.Redis.Wire;

namespace Dragoman.Redis.Commands;

/// <summary>HELLO, AUTH, PING, ECHO, SELECT, QUIT and RESET.</summary>
internal static class ConnectionCommands
{
    public static IReadOnlyList<Command> All { get; } =
    [
        new("hello", -1, CommandFlags.NoAuthentication | CommandFlags.Fast, Hello),
        new("auth", -2, CommandFlags.NoAuthentication | CommandFlags.Fast, Authenticate),
        new("ping", -1, CommandFlags.Fast | CommandFlags.WhileSubscribed, Ping),
        new("echo", 2, CommandFlags.Fast, static (session, request) => session.Reply.Bulk(request[1])),
        new("select", 2, CommandFlags.Fast, Select),
        new("quit", -1, CommandFlags.NoAuthentication | CommandFlags.Fast | CommandFlags.WhileSubscribed | CommandFlags.NotQueued, static (session, _) =>
        {
            session.Reply.Ok();
            session.Close();
        }),
        new("reset", 1, CommandFlags.NoAuthentication | CommandFlags.Fast | CommandFlags.WhileSubscribed | CommandFlags.NotQueued, static (session, _) =>
        {
            session.Reset();
            session.Reply.Simple("RESET"u8);
        }),
    ];

    private static void Hello(RedisSession session, Request request)
    {
        var protocol = session.Reply.Protocol;
        if (request.Count > 1)
        {
            if (!Utf8Parser.TryParse(request[1], out long asked, out var used) || used != request[1].Length)
            {
                session.Reply.Error("ERR Protocol version is not an integer or out of range");
                return;
            }
            if (asked is not (2 or 3))
            {
                session.Reply.Error(Errors.NoProtocol);
                return;
            }
            protocol = (int)asked;
        }
        string? name = null;
        var (user, password) = (-1, -1);
        for (var i = 2; i < request.Count; i++)
        {
            if (request.Is(i, "AUTH"u8) && i + 2 < request.Count)
            {
                (user, password) = (i + 1, i + 2);
                i += 2;
            }
            else if (request.Is(i, "SETNAME"u8) && i + 1 < request.Count)
            {
                name = request.Text(++i);
            }
            else
            {
                session.Reply.Error($"ERR Syntax error in HELLO option '{request.Text(i)}'");
                return;
            }
        }
        if (user > 0 && !TryLogIn(session, request.Text(user), request.Text(password))) return;
        if (!session.IsLoggedIn)
        {
            session.Reply.Error("NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time");
            return;
        }
        if (name is not null && !ClientCommand.TrySetName(session, name)) return;
        if (protocol != session.Reply.Protocol) session.SetProtocol(protocol);
        var reply = session.Reply;
        reply.Map(7);
        reply.Bulk("server"u8);
        reply.Bulk("redis"u8);
        reply.Bulk("version"u8);
        reply.Bulk(session.FrontEnd.Options.Version);
        reply.Bulk("proto"u8);
        reply.Integer(protocol);
        reply.Bulk("id"u8);
        reply.Integer(session.Id);
        reply.Bulk("mode"u8);
        reply.Bulk("standalone"u8);
        reply.Bulk("role"u8);
        reply.Bulk("master"u8);
        reply.Bulk("modules"u8);
        reply.Array(0);
    }

    private static void Authenticate(RedisSession session, Request request)
    {
        if (request.Count > 3)
        {
            session.Reply.Error(Errors.Syntax);
            return;
        }
        if (request.Count == 2 && !session.FrontEnd.Login.IsEnabled)
        {
            session.Reply.Error("ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?");
            return;
        }
        var (user, password) = request.Count == 2 ? (RedisLogin.DefaultUser, request.Text(1)) : (request.Text(1), request.Text(2));
        if (TryLogIn(session, user, password)) session.Reply.Ok();
    }

    private static bool TryLogIn(RedisSession session, string user, string password)
    {
        if (session.FrontEnd.Login.Check(user, password, session.Remote) is not { } identity)
        {
            session.Reply.Error(Errors.WrongPassword);
            return false;
        }
        session.LogIn(identity);
        return true;
    }

    private static void Ping(RedisSession session, Request request)
    {
        if (request.Count > 2)
        {
            session.Reply.Error("ERR wrong number of arguments for 'ping' command");
        }
        else if (session.IsSubscriber)
        {
            session.Reply.Array(2);
            session.Reply.Bulk("pong"u8);
            session.Reply.Bulk(request.Count == 2 ? request[1] : default);
        }
        else if (request.Count == 2)
        {
            session.Reply.Bulk(request[1]);
        }
        else
        {
            session.Reply.Simple("PONG"u8);
        }
    }

    private static void Select(RedisSession session, Request request)
    {
        if (!Utf8Parser.TryParse(request[1], out int number, out var used) || used != request[1].Length)
        {
            session.Reply.Error(Errors.NotAnInteger);
            return;
        }
        if (number is < 0 or >= KeyStore.Databases)
        {
            session.Reply.Error("ERR DB index is out of range");
            return;
        }
        session.Database = session.FrontEnd.Keys[number];
        session.Reply.Ok();
    }
}
