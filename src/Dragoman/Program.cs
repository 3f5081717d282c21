using System.CommandLine;
using System.CommandLine.Invocation;
using Dragoman.Commands;
using Dragoman.Serve;

var root = new RootCommand("Dragoman: one message broker that every existing client already speaks to.")
{
    ServeCommand.Create(),
    TopicCommand.Create(),
    ProduceCommand.Create(),
    ConsumeCommand.Create(),
    GroupCommand.Create(),
    QueueCommand.Create(),
    ExchangeCommand.Create(),
    BindCommand.Create(),
    NamespaceCommand.Create(),
    UserCommand.Create(),
    PermissionCommand.Create(),
    StorageCommand.Create(),
};
var parsed = root.Parse(args.Length == 0 ? ["--help"] : args);
if (parsed.Action is ParseErrorAction)
{
    foreach (var error in parsed.Errors) Console.Error.WriteLine($"dragoman: {error.Message}");
    var names = parsed.CommandResult.Command is RootCommand ? "" : " " + string.Join(' ', Names(parsed.CommandResult));
    Console.Error.WriteLine($"'dragoman{names} --help' shows what there is.");
    return ExitCode.Usage;
}
// Each command ends in its own way when it is told to; nothing is cut off behind its back.
return await parsed.InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });

static IEnumerable<string> Names(System.CommandLine.Parsing.CommandResult result) =>
    result.Parent is System.CommandLine.Parsing.CommandResult parent ? Names(parent).Append(result.Command.Name) : [];
