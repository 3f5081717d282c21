using System.Text.RegularExpressions;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Interop;

/// <summary>A property as a table of <c>docs/interop.md</c> spells it: where it is, and an example.</summary>
/// <param name="Place">Where: <c>key</c>, <c>header NAME</c>, <c>content-type</c>.</param>
/// <param name="Value">What.</param>
internal sealed record Spelling(string Place, string Value);

/// <summary>One cell: how a protocol spells a property.</summary>
/// <param name="Spellings">All that says it; none where there is no such thing.</param>
/// <param name="IsReadOnly">Whether consumers are told, and publishers cannot say.</param>
internal sealed record Cell(IReadOnlyList<Spelling> Spellings, bool IsReadOnly)
{
    public bool CanPublish => Spellings.Count > 0 && !IsReadOnly;
}

/// <summary><c>docs/interop.md</c>, whose tables and examples are what is tested.</summary>
internal static partial class InteropDocument
{
    private static readonly string s_text = File.ReadAllText(Repository.PathOf("docs", "interop.md"));

    /// <summary>The table under a heading: its rows, the first one being its head.</summary>
    public static List<string[]> Table(string heading)
    {
        var rows = Section(heading).Split('\n').Where(line => line.StartsWith('|') && !line.StartsWith("|--", StringComparison.Ordinal))
            .Select(line => line.Trim('|').Split('|', StringSplitOptions.TrimEntries)).ToList();
        Assert.True(rows.Count > 2, $"There is no table under '{heading}'.");
        Assert.All(rows, row => Assert.Equal(rows[0].Length, row.Length));
        return rows;
    }

    /// <summary>The blocks of code under a heading.</summary>
    public static List<string> Code(string heading) => [.. CodeBlock().Matches(Section(heading)).Select(m => m.Groups[1].Value)];

    /// <summary>Reads a cell; it says something that can be tried, or that there is no such thing.</summary>
    public static Cell Read(string cell)
    {
        if (cell == "–") return new Cell([], false);
        var spellings = SpellingText().Matches(cell).Select(m => new Spelling(m.Groups[1].Value, m.Groups[2].Value)).ToList();
        Assert.True(spellings.Count > 0, $"'{cell}' says nothing that can be tried.");
        return new Cell(spellings, cell.StartsWith("read ", StringComparison.Ordinal));
    }

    private static string Section(string heading)
    {
        var start = s_text.IndexOf($"\n## {heading}\n", StringComparison.Ordinal);
        Assert.True(start >= 0, $"docs/interop.md has no section '{heading}'.");
        var end = s_text.IndexOf("\n## ", start + 1, StringComparison.Ordinal);
        return end < 0 ? s_text[start..] : s_text[start..end];
    }

    [GeneratedRegex("`([^`]+)` = `([^`]*)`")]
    private static partial Regex SpellingText();

    [GeneratedRegex("```[a-z]*\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CodeBlock();
}
