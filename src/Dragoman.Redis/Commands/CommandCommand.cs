using System.Text;
using Dragoman.Redis.Sessions;
using Dragoman.Redis.Wire;

namespace Dragoman.Redis.Commands;

/// <summary>COMMAND: which commands there are.</summary>
internal static class CommandCommand
{
    private static readonly (CommandFlags Flag, string Name)[] FlagNames =
    [
        (CommandFlags.Write, "write"), (CommandFlags.ReadOnly, "readonly"), (CommandFlags.Admin, "admin"), (CommandFlags.PubSub, "pubsub"),
        (CommandFlags.NoAuthentication, "no_auth"), (CommandFlags.Fast, "fast"),
    ];

    public static Command Create()
    {
        var command = Command.WithSubcommands(
            "command",
            new("count", 2, CommandFlags.None, static (session, _) => session.Reply.Integer(session.FrontEnd.Commands.All.Count)),
            new("list", -2, CommandFlags.None, static (session, _) =>
            {
                var all = session.FrontEnd.Commands.All;
                session.Reply.Array(all.Count);
                foreach (var one in all) session.Reply.Bulk(one.Name);
            }),
            new("info", -2, CommandFlags.None, Info),
            new("docs", -2, CommandFlags.None, Docs),
            new("getkeys", -3, CommandFlags.None, GetKeys),
            new("help", 2, CommandFlags.None, static (session, _) => Help.Write(session, "COMMAND", "COUNT", "DOCS [<command-name> ...]", "GETKEYS <full-command>", "INFO [<command-name> ...]", "LIST")));
        return new Command(command, -1, static (session, _) =>
        {
            var all = session.FrontEnd.Commands.All;
            session.Reply.Array(all.Count);
            foreach (var one in all) Describe(session.Reply, one);
        });
    }

    private static void Info(RedisSession session, Request request)
    {
        if (request.Count == 2)
        {
            var all = session.FrontEnd.Commands.All;
            session.Reply.Array(all.Count);
            foreach (var one in all) Describe(session.Reply, one);
            return;
        }
        session.Reply.Array(request.Count - 2);
        for (var i = 2; i < request.Count; i++)
        {
            if (Find(session, request[i]) is { } one) Describe(session.Reply, one);
            else session.Reply.NullArray();
        }
    }

    private static void Docs(RedisSession session, Request request)
    {
        List<Command> asked = [];
        if (request.Count == 2) asked.AddRange(session.FrontEnd.Commands.All);
        for (var i = 2; i < request.Count; i++)
            if (Find(session, request[i]) is { } one) asked.Add(one);
        session.Reply.Map(asked.Count);
        foreach (var one in asked)
        {
            session.Reply.Bulk(one.FullName);
            Document(session.Reply, one);
        }
    }

    private static void Document(ReplyWriter reply, Command command)
    {
        reply.Map(command.Subcommands.Count > 0 ? 3 : 2);
        reply.Bulk("summary"u8);
        reply.Bulk($"As {command.FullName.Replace('|', ' ').ToUpperInvariant()} in Redis.");
        reply.Bulk("group"u8);
        reply.Bulk((command.Flags & CommandFlags.PubSub) != 0 ? "pubsub" : command.FirstKey > 0 ? "string" : "server");
        if (command.Subcommands.Count == 0) return;
        reply.Bulk("subcommands"u8);
        reply.Map(command.Subcommands.Count);
        foreach (var subcommand in command.Subcommands)
        {
            reply.Bulk(subcommand.FullName);
            Document(reply, subcommand);
        }
    }

    private static void GetKeys(RedisSession session, Request request)
    {
        if (Find(session, request[2]) is not { } command)
        {
            session.Reply.Error("ERR Invalid command specified");
            return;
        }
        var arguments = request.Count - 2;
        if (!command.Takes(arguments))
        {
            session.Reply.Error("ERR Invalid number of arguments specified for command");
            return;
        }
        if (command.FirstKey == 0)
        {
            session.Reply.Error("ERR The command has no key arguments");
            return;
        }
        var last = command.LastKey < 0 ? arguments + command.LastKey : command.LastKey;
        List<int> places = [];
        for (var i = command.FirstKey; i <= last; i += command.Step) places.Add(i + 2);
        session.Reply.Array(places.Count);
        foreach (var place in places) session.Reply.Bulk(request[place]);
    }

    private static Command? Find(RedisSession session, ReadOnlySpan<byte> name)
    {
        var bar = name.IndexOf((byte)'|');
        if (bar < 0) return session.FrontEnd.Commands.Find(name);
        if (session.FrontEnd.Commands.Find(name[..bar]) is not { } container) return null;
        foreach (var subcommand in container.Subcommands)
            if (Ascii.EqualsIgnoreCase(name[(bar + 1)..], subcommand.Name)) return subcommand;
        return null;
    }

    private static void Describe(ReplyWriter reply, Command command)
    {
        reply.Array(10);
        reply.Bulk(command.FullName);
        reply.Integer(command.Arity);
        var flags = FlagNames.Where(flag => (command.Flags & flag.Flag) != 0).ToList();
        reply.Set(flags.Count);
        foreach (var (_, name) in flags) reply.Simple(Encoding.ASCII.GetBytes(name));
        reply.Integer(command.FirstKey);
        reply.Integer(command.LastKey);
        reply.Integer(command.Step);
        reply.Set(0);
        reply.Array(0);
        reply.Array(0);
        reply.Array(command.Subcommands.Count);
        foreach (var subcommand in command.Subcommands) Describe(reply, subcommand);
    }
}
