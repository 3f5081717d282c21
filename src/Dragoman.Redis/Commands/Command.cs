using Dragoman.Redis.Sessions;
using Dragoman.Redis.Wire;

namespace Dragoman.Redis.Commands;

/// <summary>What there is to know of a command beside how it runs; what <c>COMMAND</c> tells.</summary>
[Flags]
internal enum CommandFlags
{
    None = 0,
    ReadOnly = 1,
    Write = 2,
    PubSub = 4,
    Admin = 8,
    Fast = 16,

    /// <summary>May run before a log-in.</summary>
    NoAuthentication = 32,

    /// <summary>May run while a RESP 2 client listens.</summary>
    WhileSubscribed = 64,

    /// <summary>Runs at once between MULTI and EXEC.</summary>
    NotQueued = 128,

    /// <summary>Is refused between MULTI and EXEC.</summary>
    NotInTransaction = 256,

    /// <summary>May run while publishes wait for their replies: its own reply keeps the order.</summary>
    Publishes = 512,
}

/// <summary>A command.</summary>
internal sealed class Command
{
    private readonly Action<RedisSession, Request>? _run;
    private readonly Func<RedisSession, Request, ValueTask>? _runAsync;

    public Command(string name, int arity, CommandFlags flags, Action<RedisSession, Request> run, int firstKey = 0, int lastKey = 0, int step = 0)
        : this(name, arity, flags, firstKey, lastKey, step) => _run = run;

    public Command(string name, int arity, CommandFlags flags, Func<RedisSession, Request, ValueTask> run, int firstKey = 0, int lastKey = 0, int step = 0)
        : this(name, arity, flags, firstKey, lastKey, step) => _runAsync = run;

    /// <summary>Creates a command that has subcommands and is nothing without.</summary>
    public static Command WithSubcommands(string name, params Command[] subcommands) => new(name, -2, subcommands);

    /// <summary>Creates a command that has subcommands and is something without them too.</summary>
    public Command(Command container, int arity, Action<RedisSession, Request> run)
        : this(container.Name, arity, [.. container.Subcommands]) => _run = run;

    private Command(string name, int arity, Command[] subcommands)
        : this(name, arity, CommandFlags.None, 0, 0, 0)
    {
        Subcommands = subcommands;
        foreach (var subcommand in subcommands) subcommand.Container = this;
    }

    private Command(string name, int arity, CommandFlags flags, int firstKey, int lastKey, int step)
    {
        Name = name;
        Arity = arity;
        Flags = flags;
        (FirstKey, LastKey, Step) = (firstKey, lastKey, step);
    }

    /// <summary>The name in lower case.</summary>
    public string Name { get; }

    /// <summary>How many arguments it takes, the name and its container's included; negative for at least so many.</summary>
    public int Arity { get; }

    public CommandFlags Flags { get; }

    /// <summary>Which argument is the first key; 0 if none is.</summary>
    public int FirstKey { get; }

    /// <summary>Which is the last; -1 for the last argument.</summary>
    public int LastKey { get; }

    /// <summary>How many arguments lie between two keys.</summary>
    public int Step { get; }

    /// <summary>The command whose subcommand it is.</summary>
    public Command? Container { get; private set; }

    public IReadOnlyList<Command> Subcommands { get; } = [];

    /// <summary>As Redis writes it in errors.</summary>
    public string FullName => Container is null ? Name : $"{Container.Name}|{Name}";

    /// <summary>Whether a number of arguments is right.</summary>
    public bool Takes(int arguments) => Arity >= 0 ? arguments == Arity : arguments >= -Arity;

    /// <summary>Runs it.</summary>
    public ValueTask Run(RedisSession session, Request request)
    {
        if (_run is null) return _runAsync!(session, request);
        _run(session, request);
        return default;
    }
}
