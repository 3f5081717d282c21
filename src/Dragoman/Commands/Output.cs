using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Spectre.Console;

namespace Dragoman.Commands;

/// <summary>Prints results: for people on a terminal, as plain columns into a pipe, or as JSON.</summary>
internal static class Output
{
    private static readonly byte[] NewLine = "\n"u8.ToArray();

    /// <summary>A column of a table.</summary>
    /// <param name="Title">What stands above it.</param>
    /// <param name="IsNumber">Whether it is aligned to the right.</param>
    public readonly record struct Column(string Title, bool IsNumber = false);

    public static void Json<T>(T value, JsonTypeInfo<T> type)
    {
        using var stdout = Console.OpenStandardOutput();
        using (var writer = new Utf8JsonWriter(stdout, new JsonWriterOptions { Indented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
            JsonSerializer.Serialize(writer, value, type);
        stdout.Write(NewLine);
    }

    public static void Line(string text = "") => Console.Out.WriteLine(text);

    public static void Heading(string text)
    {
        if (Console.IsOutputRedirected) Console.Out.WriteLine(text);
        else AnsiConsole.MarkupLineInterpolated($"[bold]{text}[/]");
    }

    public static void Fields(params IReadOnlyList<(string Name, string Value)> fields)
    {
        var width = fields.Max(f => f.Name.Length);
        foreach (var (name, value) in fields) Console.Out.WriteLine($"{(name + ":").PadRight(width + 1)}  {value}");
    }

    public static void Table(IReadOnlyList<Column> columns, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        if (Console.IsOutputRedirected) Plain(columns, rows);
        else Drawn(columns, rows);
    }

    /// <summary>A name as people write it: the default namespace is left out.</summary>
    public static string Name(string ns, string name) => ns == "public/default" ? name : $"{ns}/{name}";

    public static string Time(DateTimeOffset time) => time.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss 'UTC'", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>A number of things: <c>1 queue</c>, <c>2,000 queues</c>.</summary>
    public static string Things(long number, string thing) => $"{Count(number)} {thing}{(number == 1 ? "" : "s")}";

    public static string Count(long number) => number.ToString("N0", System.Globalization.CultureInfo.InvariantCulture);

    private static void Drawn(IReadOnlyList<Column> columns, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var table = new Table().Border(TableBorder.Rounded);
        foreach (var (title, isNumber) in columns)
        {
            var column = new TableColumn(new Markup($"[bold]{Markup.Escape(title)}[/]"));
            table.AddColumn(isNumber ? column.RightAligned() : column);
        }
        foreach (var row in rows) table.AddRow([.. row.Select(cell => new Text(cell))]);
        AnsiConsole.Write(table);
    }

    private static void Plain(IReadOnlyList<Column> columns, IReadOnlyList<IReadOnlyList<string>> rows)
    {
        var widths = columns.Select((c, i) => Math.Max(c.Title.Length, rows.Count == 0 ? 0 : rows.Max(r => r[i].Length))).ToArray();
        WriteRow([.. columns.Select(c => c.Title)]);
        foreach (var row in rows) WriteRow(row);

        void WriteRow(IReadOnlyList<string> cells)
        {
            var line = string.Join("  ", cells.Select((cell, i) => columns[i].IsNumber ? cell.PadLeft(widths[i]) : cell.PadRight(widths[i])));
            Console.Out.WriteLine(line.TrimEnd());
        }
    }
}
