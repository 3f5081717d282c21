using System.Buffers.Text;
using System.Text;
using Dragoman.Redis.Sessions;
using Dragoman.Redis.Wire;

namespace Dragoman.Redis.Commands;

/// <summary>INCR, DECR, INCRBY and DECRBY.</summary>
internal static class CounterCommands
{
    private const CommandFlags Flags = CommandFlags.Write | CommandFlags.Fast;

    public static IReadOnlyList<Command> All { get; } =
    [
        new("incr", 2, Flags, static (session, request) => Add(session, request[1], 1, "incrby"), 1, 1, 1),
        new("decr", 2, Flags, static (session, request) => Add(session, request[1], -1, "decrby"), 1, 1, 1),
        new("incrby", 3, Flags, static (session, request) =>
        {
            if (TryRead(request[2], out var amount)) Add(session, request[1], amount, "incrby");
            else session.Reply.Error(Errors.NotAnInteger);
        }, 1, 1, 1),
        new("decrby", 3, Flags, static (session, request) =>
        {
            if (!TryRead(request[2], out var amount)) session.Reply.Error(Errors.NotAnInteger);
            else if (amount == long.MinValue) session.Reply.Error("ERR decrement would overflow");
            else Add(session, request[1], -amount, "decrby");
        }, 1, 1, 1),
    ];

    private static void Add(RedisSession session, ReadOnlySpan<byte> key, long amount, string name)
    {
        lock (session.FrontEnd.Keys.Lock)
        {
            var value = 0L;
            if (session.Database.Find(key) is { } entry && !TryRead(entry.Value, out value))
            {
                session.Reply.Error(Errors.NotAnInteger);
                return;
            }
            if (amount > 0 ? value > long.MaxValue - amount : value < long.MinValue - amount)
            {
                session.Reply.Error(Errors.WouldOverflow);
                return;
            }
            value += amount;
            if (!session.Database.TryReplace(key, Encoding.ASCII.GetBytes(ReplyWriter.Text(value))))
            {
                session.Reply.Error(Errors.OutOfMemory);
                return;
            }
            session.FrontEnd.Keys.Events.Tell('$', name, session.Database.Number, key);
            session.Reply.Integer(value);
        }
    }

    private static bool TryRead(ReadOnlySpan<byte> text, out long value) =>
        Utf8Parser.TryParse(text, out value, out var used) && used == text.Length && (text.Length == 1 || text[0] is not ((byte)'+' or (byte)'0'));
}
