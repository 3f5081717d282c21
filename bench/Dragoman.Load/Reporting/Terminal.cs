using Spectre.Console;

namespace Dragoman.Load.Reporting;

/// <summary>Progress goes to standard error, results to standard output, so that results can be piped.</summary>
internal static class Terminal
{
    private static readonly IAnsiConsole Error = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) });

    /// <summary>Runs a piece of work that reports how far it is, from 0 to 1, and what it sees meanwhile.</summary>
    public static Task<T> RunAsync<T>(string title, Func<IProgress<Step>, Task<T>> work) =>
        Error.Progress()
            .HideCompleted(false)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new ElapsedTimeColumn())
            .StartAsync(async context =>
            {
                var task = context.AddTask(Markup.Escape(title), maxValue: 1);
                var result = await work(new Reporter(task, title));
                task.Value = 1;
                task.Description = Markup.Escape(title);
                return result;
            });

    /// <summary>Tells something worth knowing that is no result.</summary>
    public static void Note(string text) => Error.MarkupLineInterpolated($"[grey]{text}[/]");

    /// <summary>Prints a table of results.</summary>
    public static void Print(string title, IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        // Without a terminal Spectre.Console assumes 80 columns, which breaks the tables' lines.
        if (Console.IsOutputRedirected) AnsiConsole.Profile.Width = Math.Max(AnsiConsole.Profile.Width, 160);
        var table = new Table().Title(Markup.Escape(title)).Border(TableBorder.Minimal);
        for (var i = 0; i < columns.Count; i++)
        {
            var column = new TableColumn(Markup.Escape(columns[i]));
            table.AddColumn(i == 0 ? column : column.RightAligned());
        }
        foreach (var row in rows) table.AddRow([.. row.Select(cell => new Text(cell))]);
        AnsiConsole.Write(table);
    }

    // Not Progress<T>: that one reports on another thread, out of order.
    private sealed class Reporter(ProgressTask task, string title) : IProgress<Step>
    {
        public void Report(Step value)
        {
            task.Value = Math.Clamp(value.Fraction, 0, 1);
            task.Description = Markup.Escape(value.Text.Length == 0 ? title : $"{title}: {value.Text}");
        }
    }
}

/// <summary>How far a piece of work is.</summary>
/// <param name="Fraction">From 0 to 1.</param>
/// <param name="Text">What it sees just now.</param>
internal readonly record struct Step(double Fraction, string Text = "");
