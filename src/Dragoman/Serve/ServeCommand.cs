using System.CommandLine;
using Dragoman.Commands;

namespace Dragoman.Serve;

/// <summary><c>dragoman serve</c>: runs the broker.</summary>
internal static class ServeCommand
{
    public static Command Create()
    {
        var command = new Command("serve", "Runs the broker until it is told to stop. Options can also be given as variables (--commit-mode is DRAGOMAN_COMMIT_MODE) or in appsettings.json (\"commitMode\"); the command line counts first.");
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
