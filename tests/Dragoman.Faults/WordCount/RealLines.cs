using System.Text;
using Dragoman.TestKit;

namespace Dragoman.Faults.WordCount;

/// <summary>Lines of the text of Debian's list of packages, and their words.</summary>
internal static class RealLines
{
    private const int Lines = 20_000;

    /// <summary>The first lines that are not blank.</summary>
    public static async Task<byte[][]> ReadAsync()
    {
        var all = (await ForeignProcess.RunAsync("apt-cache", ["dumpavail"])).Succeeded().OutputBytes;
        var lines = new List<byte[]>(Lines);
        for (var rest = all.AsMemory(); rest.Length > 0 && lines.Count < Lines;)
        {
            var end = rest.Span.IndexOf((byte)'\n');
            if (end != 0) lines.Add(rest[..(end < 0 ? rest.Length : end)].ToArray());
            rest = end < 0 ? default : rest[(end + 1)..];
        }
        if (lines.Count < Lines) throw new InvalidOperationException($"apt-cache dumpavail gave {lines.Count} lines, and {Lines} are needed: run 'apt-get update'.");
        return [.. lines];
    }

    /// <summary>Adds the words of a line to how often each came. Words are bytes between spaces, and need not be text.</summary>
    public static void Count(byte[] line, Dictionary<string, long> counts)
    {
        foreach (var word in Encoding.Latin1.GetString(line).Split(' ', StringSplitOptions.RemoveEmptyEntries)) Add(counts, word, 1);
    }

    /// <summary>Adds to how often a word came.</summary>
    public static void Add(Dictionary<string, long> counts, string word, long times) => counts[word] = counts.GetValueOrDefault(word) + times;
}
