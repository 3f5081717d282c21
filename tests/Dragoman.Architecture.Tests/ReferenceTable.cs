using System.Text.RegularExpressions;

namespace Dragoman.Architecture.Tests;

/// <summary>A row: a project and what it may reference.</summary>
/// <param name="Project">The project's name.</param>
/// <param name="Allowed">The projects of ours that it may reference; null if it may reference all.</param>
internal sealed record ReferenceRow(string Project, IReadOnlySet<string>? Allowed)
{
    public bool Allows(string project) => Allowed is null || Allowed.Contains(project);
}

/// <summary>
/// The table of layers in <c>docs/architecture.md</c>. The document is the rule: a project that is new, or that wants
/// another reference, says so there, where people look.
/// </summary>
internal static partial class ReferenceTable
{
    private const string Heading = "| Project | Holds | May reference |";

    public static IReadOnlyDictionary<string, ReferenceRow> Rows { get; } = Read(File.ReadAllLines(Path.Join(Repository.Root, "docs", "architecture.md")));

    internal static IReadOnlyDictionary<string, ReferenceRow> Read(IEnumerable<string> lines)
    {
        var rows = new Dictionary<string, ReferenceRow>(StringComparer.Ordinal);
        foreach (var line in lines.SkipWhile(l => l != Heading).Skip(2).TakeWhile(l => l.StartsWith('|')))
        {
            var cells = line.Trim('|').Split('|', StringSplitOptions.TrimEntries);
            if (cells.Length != 3) throw new FormatException($"This row of the table has {cells.Length} cells: {line}");
            var allowed = Allowed(cells[2]);
            foreach (Match name in ProjectName().Matches(cells[0])) rows.Add(name.Groups[1].Value, new ReferenceRow(name.Groups[1].Value, allowed));
        }
        return rows.Count > 0 ? rows : throw new FormatException($"docs/architecture.md has no table that begins with {Heading}");
    }

    private static HashSet<string>? Allowed(string cell)
    {
        // What stands in brackets says which part of a project is meant; it is for people.
        var text = Brackets().Replace(cell, "");
        if (text.Trim() is "everything" or "all above") return null;
        if (text.Trim() is "–" or "nothing of ours") return [];
        return [.. text.Split(',', StringSplitOptions.TrimEntries).Select(name => "Dragoman." + name.Trim('`'))];
    }

    [GeneratedRegex(@"`src/([A-Za-z.]+)`")]
    private static partial Regex ProjectName();

    [GeneratedRegex(@"\([^)]*\)")]
    private static partial Regex Brackets();
}
