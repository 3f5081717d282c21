using System.Buffers.Text;
using Dragoman.Redis.Wire;

namespace Dragoman.Redis.Commands;

/// <summary>CLUSTER: this is one server, and says so as Redis does.</summary>
internal static class ClusterCommand
{
    public static Command Create() => new("cluster", -2, CommandFlags.None, static (session, _) => session.Reply.Error(Errors.NoCluster));
}

/// <summary>ROLE, TIME, WAIT, READONLY, READWRITE, ASKING, FUNCTION and SCRIPT: what libraries and tests ask of any server.</summary>
internal static class ServerCommands
{
    public static IReadOnlyList<Command> All { get; } =
    [
        new("role", 1, CommandFlags.Fast, static (session, _) =>
        {
            session.Reply.Array(3);
            session.Reply.Bulk("master"u8);
            session.Reply.Integer(0);
            session.Reply.Array(0);
        }),
        new("time", 1, CommandFlags.Fast, static (session, _) =>
        {
            var microseconds = (session.FrontEnd.Broker.Time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
            session.Reply.Array(2);
            session.Reply.Bulk(ReplyWriter.Text(microseconds / 1_000_000));
            session.Reply.Bulk(ReplyWriter.Text(microseconds % 1_000_000));
        }),
        // There are no replicas to wait for.
        new("wait", 3, CommandFlags.None, static (session, request) =>
        {
            if (IsNumber(request[1]) && IsNumber(request[2])) session.Reply.Integer(0);
            else session.Reply.Error(Errors.NotAnInteger);
        }),
        new("readonly", 1, CommandFlags.Fast, static (session, _) => session.Reply.Error(Errors.NoCluster)),
        new("readwrite", 1, CommandFlags.Fast, static (session, _) => session.Reply.Error(Errors.NoCluster)),
        new("asking", 1, CommandFlags.Fast, static (session, _) => session.Reply.Error(Errors.NoCluster)),
        // There are no functions, so all of them are gone.
        Command.WithSubcommands("function", new Command("flush", -2, CommandFlags.Admin, static (session, _) => session.Reply.Ok()), new Command("list", -2, CommandFlags.None, static (session, _) => session.Reply.Array(0))),
    ];

    private static bool IsNumber(ReadOnlySpan<byte> text) => Utf8Parser.TryParse(text, out long _, out var used) && used == text.Length;
}
