using System.CommandLine;
using Dragoman.Serve;

var root = new RootCommand("Dragoman: one message broker that every existing client already speaks to.")
{
    ServeCommand.Create(),
};
// Each command ends in its own way when it is told to; nothing is cut off behind its back.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null, EnableDefaultExceptionHandler = false });
