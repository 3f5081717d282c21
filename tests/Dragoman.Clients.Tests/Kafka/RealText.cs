using System.Globalization;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Kafka;

/// <summary>The text of Debian's list of packages: lines of all lengths, many languages, millions of them.</summary>
public sealed class RealText
{
    private const int Least = 10_000_000;

    // The soak takes all there is.
    private static readonly int s_most = int.TryParse(Environment.GetEnvironmentVariable("DRAGOMAN_TEXT_BYTES"), CultureInfo.InvariantCulture, out var bytes) ? bytes : 16_000_000;

    private static readonly Lazy<Task<byte[]>> s_lines = new(ReadAsync);

    /// <summary>The lines that are not blank, with their ends.</summary>
    public static Task<byte[]> LinesAsync() => s_lines.Value;

    private static async Task<byte[]> ReadAsync()
    {
        var all = (await ForeignProcess.RunAsync("apt-cache", ["dumpavail"])).Succeeded().OutputBytes;
        var text = new MemoryStream(all.Length);
        for (var rest = all.AsMemory(); rest.Length > 0 && text.Length < s_most;)
        {
            var end = rest.Span.IndexOf((byte)'\n');
            var line = rest[..(end < 0 ? rest.Length : end)];
            rest = rest[(end < 0 ? rest.Length : end + 1)..];
            if (line.Length == 0) continue;
            text.Write(line.Span);
            text.WriteByte((byte)'\n');
        }
        if (text.Length < Least) throw new InvalidOperationException($"apt-cache dumpavail gave {text.Length} bytes of text, and {Least} are needed: run 'apt-get update'.");
        return text.ToArray();
    }
}
