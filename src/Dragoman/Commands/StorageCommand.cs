using System.CommandLine;
using Dragoman.Broker.Inspection;
using Dragoman.Storage.Inspection;
using Dragoman.Storage.Platform;

namespace Dragoman.Commands;

/// <summary><c>dragoman storage</c>: looks at the files of a stopped broker.</summary>
internal static class StorageCommand
{
    public static Command Create() => new("storage", "Looks at the files of a stopped broker.") { Inspect() };

    private static Command Inspect()
    {
        var directory = new Argument<string>("DIR") { Description = "The data directory." };
        var rounds = new Option<bool>("--rounds") { Description = "Also print every round of the journal with its commits." };
        var quick = new Option<bool>("--quick") { Description = "Do not read the batches in segments; the journal is always read." };
        var json = ClientOptions.Json();
        var command = new Command("inspect", "Shows the journal, segments and topics of a stopped broker, and checks them. Changes nothing; ends with 3 if it finds damage.") { directory, rounds, quick, json };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(() =>
        {
            var asJson = parsed.GetValue(json);
            var path = Path.GetFullPath(parsed.GetValue(directory)!);
            var all = new List<InspectedRound>();
            var progress = new InspectProgress();
            var options = new StoreInspectionOptions
            {
                VerifySegments = !parsed.GetValue(quick),
                OnRound = parsed.GetValue(rounds) ? all.Add : null,
                OnProgress = progress.Report,
            };
            BrokerInspection found;
            try
            {
                found = BrokerInspector.Inspect(new OsFileSystem(), path, options, cancellation);
            }
            catch (DirectoryInUseException error)
            {
                throw new CommandException($"{error.Message} Its files change while that broker runs; stop it first, or ask it with 'dragoman topic list'.", error);
            }
            catch (IOException error)
            {
                throw new CommandException($"{path} cannot be inspected: {error.Message}", error);
            }
            finally
            {
                progress.Dispose();
            }
            if (asJson) Output.Json(InspectionModel.From(found, all), InspectionJson.Default.InspectionModel);
            else InspectionText.Print(found, all);
            return Task.FromResult(found.Store.IsDamaged ? ExitCode.Damaged : ExitCode.Ok);
        }));
        return command;
    }

    /// <summary>Says on a terminal how far long work has come.</summary>
    private sealed class InspectProgress : IDisposable
    {
        private readonly System.Diagnostics.Stopwatch _watch = System.Diagnostics.Stopwatch.StartNew();
        private long _shownAt;

        public void Report(long done, long total)
        {
            var now = _watch.ElapsedMilliseconds;
            if (Console.IsErrorRedirected || now - _shownAt < 500) return;
            _shownAt = now;
            Console.Error.Write($"\rread {ByteSize.Format(done)} of {ByteSize.Format(total)}   ");
        }

        public void Dispose()
        {
            if (_shownAt > 0) Console.Error.Write("\r\u001b[K");
            _shownAt = 0;
        }
    }
}
