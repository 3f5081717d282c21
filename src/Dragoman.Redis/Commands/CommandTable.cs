using System.Text;
using Dragoman.Broker.Security;
using Dragoman.Redis.Sessions;
using Dragoman.Redis.Wire;

namespace Dragoman.Redis.Commands;

/// <summary>The commands there are, and what has to be so before one runs.</summary>
internal sealed class CommandTable
{
    private readonly Dictionary<byte[], Command> _byName = new(NameComparer.Instance);
    private readonly Dictionary<byte[], Command>.AlternateLookup<ReadOnlySpan<byte>> _lookup;

    private CommandTable() => _lookup = _byName.GetAlternateLookup<ReadOnlySpan<byte>>();

    /// <summary>All commands, in the order of their names.</summary>
    public IReadOnlyList<Command> All => [.. _byName.Values.OrderBy(static c => c.Name, StringComparer.Ordinal)];

    /// <summary>Makes the table.</summary>
    public static CommandTable Create()
    {
        var table = new CommandTable();
        Command[] all =
        [
            .. ConnectionCommands.All, ClientCommand.Create(), AclCommand.Create(), .. PublishCommands.All, .. SubscribeCommands.All, PubSubCommand.Create(),
            .. TransactionCommands.All, .. StringCommands.All, .. CounterCommands.All, .. KeyCommands.All, .. ExpiryCommands.All,
            CommandCommand.Create(), ConfigCommand.Create(), InfoCommand.Create(), ClusterCommand.Create(), .. ServerCommands.All,
        ];
        foreach (var command in all) table._byName.Add(Encoding.ASCII.GetBytes(command.Name), command);
        return table;
    }

    /// <summary>A command by its name, in whatever case; null if there is none.</summary>
    public Command? Find(ReadOnlySpan<byte> name) => _lookup.TryGetValue(name, out var command) ? command : null;

    /// <summary>Runs a command, or writes why not.</summary>
    public ValueTask Dispatch(RedisSession session, Request request)
    {
        if (session.IsPublishing && (Find(request[0]) is not { } next || (next.Flags & CommandFlags.Publishes) == 0 || session.Queued.IsOpen)) return AfterPublishesAsync(session, request);
        var command = Check(session, request, out var error);
        if (error is not null)
        {
            if (command?.FullName == TransactionCommands.Exec)
            {
                // An EXEC that may not run ends the transaction.
                session.Queued.Clear();
                error = Errors.AbortedBecauseOf(error);
            }
            else if (session.Queued.IsOpen)
            {
                session.Queued.IsSpoiled = true;
            }
            session.Reply.Error(error);
            return default;
        }
        session.LastCommand = command!.FullName;
        if ((command.Flags & CommandFlags.Publishes) == 0) session.Publisher.EndRun();
        if (session.Queued.IsOpen && (command.Flags & CommandFlags.NotQueued) == 0)
        {
            TransactionCommands.Queue(session, command, request);
            return default;
        }
        return command.Run(session, request);
    }

    private async ValueTask AfterPublishesAsync(RedisSession session, Request request)
    {
        await session.FinishPublishesAsync().ConfigureAwait(false);
        await Dispatch(session, request).ConfigureAwait(false);
    }

    private Command? Check(RedisSession session, Request request, out string? error)
    {
        error = null;
        if (Find(request[0]) is not { } command)
        {
            // What begins like HTTP comes from a browser that was led here: Redis closes such connections too.
            if (request.Is(0, "POST"u8) || request.Is(0, "HOST:"u8)) session.Disconnect("an HTTP request came to the Redis port: perhaps somebody leads browsers here");
            error = Errors.UnknownCommand(request);
            return null;
        }
        if (command.Subcommands.Count > 0 && request.Count > 1)
        {
            Command? found = null;
            foreach (var subcommand in command.Subcommands)
                if (Ascii.EqualsIgnoreCase(request[1], subcommand.Name)) found = subcommand;
            if (found is null)
            {
                error = session.IsLoggedIn ? Errors.UnknownSubcommand(command, request) : Errors.NoAuthentication;
                return null;
            }
            command = found;
        }
        if (!command.Takes(request.Count)) error = Errors.WrongArity(command);
        else if (!session.IsLoggedIn && (command.Flags & CommandFlags.NoAuthentication) == 0) error = Errors.NoAuthentication;
        else if (session.IsSubscriber && (command.Flags & CommandFlags.WhileSubscribed) == 0) error = Errors.NotAllowedWhileSubscribed(command);
        else if ((command.Flags & CommandFlags.Admin) != 0 && !session.Identity.Allows(Operations.Alter, ResourceKind.Cluster, null, Permission.ClusterName))
            error = Errors.NoCommandPermission(session.Identity.User ?? Access.RedisLogin.DefaultUser, command);
        else if (session.Queued.IsOpen && (command.Flags & CommandFlags.NotInTransaction) != 0) error = $"ERR {command.Name.ToUpperInvariant()} inside MULTI is not allowed";
        return command;
    }

    /// <summary>Compares names without regard to case.</summary>
    private sealed class NameComparer : IEqualityComparer<byte[]>, IAlternateEqualityComparer<ReadOnlySpan<byte>, byte[]>
    {
        public static NameComparer Instance { get; } = new();

        public bool Equals(byte[]? x, byte[]? y) => Ascii.EqualsIgnoreCase(x, y);

        public int GetHashCode(byte[] obj) => GetHashCode(obj.AsSpan());

        public byte[] Create(ReadOnlySpan<byte> alternate) => alternate.ToArray();

        public bool Equals(ReadOnlySpan<byte> alternate, byte[] other) => Ascii.EqualsIgnoreCase(alternate, other);

        public int GetHashCode(ReadOnlySpan<byte> alternate)
        {
            var hash = (uint)alternate.Length;
            foreach (var b in alternate[..Math.Min(alternate.Length, 24)]) hash = unchecked(hash * 31 + (b & 0xDFu));
            return (int)hash;
        }
    }
}
