using System.CommandLine;
using Dragoman.Commands;

namespace Dragoman.Serve;

/// <summary><c>dragoman serve</c>: runs the broker.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var command = new Command("serve", """
            Runs the broker until it is told to stop (SIGTERM, Ctrl+C).

            Prints "listening NAME HOST:PORT" for each listener, then "ready in N ms" (counted from process start). Logs go to stderr.
            Every option can also be given as an environment variable (--commit-mode is DRAGOMAN_COMMIT_MODE) or in appsettings.json,
            in the working directory or beside the executable ("commitMode"); the command line counts first, then the environment.
            """);
        var options = new List<(Setting Setting, Option Option)>();
        foreach (var setting in Setting.All)
        {
            Option option = setting.Argument is null
                ? new Option<bool?>(setting.Option) { Description = setting.Description, Arity = ArgumentArity.ZeroOrOne }
                : new Option<string>(setting.Option) { Description = setting.Description, HelpName = setting.Argument };
            command.Options.Add(option);
            options.Add((setting, option));
        }
        command.SetAction(parsed => CommandRunner.RunAsync(() =>
        {
            var given = new Dictionary<Setting, string>();
            foreach (var (setting, option) in options)
            {
                if (parsed.GetResult(option) is not { Implicit: false } result) continue;
                given[setting] = setting.Argument is null
                    ? (result.GetValue((Option<bool?>)option) ?? true).ToString()
                    : result.GetValue((Option<string>)option) ?? "";
            }
            var sources = SettingSources.Read(given, Environment.GetEnvironmentVariables(), Environment.CurrentDirectory, AppContext.BaseDirectory);
            return new BrokerProcess(ServeOptions.From(sources), sources.Warnings).RunAsync();
        }));
        return command;
    }
}
