using Dragoman.Redis.Sessions;
using Dragoman.Redis.Wire;
using Dragoman.Storage.Platform;

namespace Dragoman.Redis.Commands;

/// <summary>
/// MULTI, EXEC, DISCARD, WATCH and UNWATCH. The commands of a transaction run one after the other without others' on keys
/// in between, unless one of them publishes to a channel that is kept: then each waits for the one before.
/// </summary>
internal static class TransactionCommands
{
    /// <summary>The name of the command that ends a transaction.</summary>
    public const string Exec = "exec";

    public static IReadOnlyList<Command> All { get; } =
    [
        new("multi", 1, CommandFlags.Fast | CommandFlags.NotQueued, Begin),
        new(Exec, 1, CommandFlags.NotQueued, ExecuteAsync),
        new("discard", 1, CommandFlags.Fast | CommandFlags.NotQueued, Discard),
        new("watch", -2, CommandFlags.Fast | CommandFlags.NotInTransaction, Watch, 1, -1, 1),
        new("unwatch", 1, CommandFlags.Fast, static (session, _) =>
        {
            session.Queued.Watched.Clear();
            session.Reply.Ok();
        }),
    ];

    /// <summary>Keeps a command for EXEC.</summary>
    public static void Queue(RedisSession session, Command command, Request request)
    {
        var queued = session.Queued;
        if (queued.Bytes + request.Bytes > session.FrontEnd.Options.MaxQueuedBytes)
        {
            queued.IsSpoiled = true;
            session.Reply.Error("ERR the transaction is too large");
            return;
        }
        queued.Bytes += request.Bytes + 64;
        queued.Commands.Add((command, request.Copy()));
        session.Reply.Simple("QUEUED"u8);
    }

    private static void Begin(RedisSession session, Request request)
    {
        if (session.Queued.IsOpen)
        {
            session.Reply.Error("ERR MULTI calls can not be nested");
            return;
        }
        session.Queued.IsOpen = true;
        session.Reply.Ok();
    }

    private static void Discard(RedisSession session, Request request)
    {
        if (!session.Queued.IsOpen)
        {
            session.Reply.Error("ERR DISCARD without MULTI");
            return;
        }
        session.Queued.Clear();
        session.Reply.Ok();
    }

    private static void Watch(RedisSession session, Request request)
    {
        lock (session.FrontEnd.Keys.Lock)
        {
            for (var i = 1; i < request.Count; i++) session.Queued.Watched.Add((session.Database, request[i].ToArray(), session.Database.VersionOf(request[i])));
        }
        session.Reply.Ok();
    }

    private static async ValueTask ExecuteAsync(RedisSession session, Request request)
    {
        var queued = session.Queued;
        if (!queued.IsOpen)
        {
            session.Reply.Error("ERR EXEC without MULTI");
            return;
        }
        if (queued.IsSpoiled)
        {
            queued.Clear();
            session.Reply.Error(Errors.Aborted);
            return;
        }
        queued.IsOpen = false;
        session.IsExecuting = true;
        try
        {
            var done = 0;
            lock (session.FrontEnd.Keys.Lock)
            {
                foreach (var (database, key, version) in queued.Watched)
                {
                    if (database.VersionOf(key) == version) continue;
                    session.Reply.NullArray();
                    return;
                }
                session.Reply.Array(queued.Commands.Count);
                // As long as none has to wait, none is interrupted.
                for (; done < queued.Commands.Count; done++)
                {
                    var (command, queuedRequest) = queued.Commands[done];
                    if ((command.Flags & CommandFlags.Publishes) != 0 && session.Publisher.IsKept(queuedRequest[1])) break;
                    var running = command.Run(session, queuedRequest);
                    Invariant.Check(running.IsCompletedSuccessfully, "only a publish to a kept channel waits");
                }
            }
            for (; done < queued.Commands.Count; done++)
            {
                var (command, queuedRequest) = queued.Commands[done];
                await command.Run(session, queuedRequest).ConfigureAwait(false);
            }
        }
        finally
        {
            session.IsExecuting = false;
            queued.Clear();
        }
    }
}
