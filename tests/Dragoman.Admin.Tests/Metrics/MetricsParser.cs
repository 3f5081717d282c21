using System.Globalization;
using System.Text;

namespace Dragoman.Admin.Tests.Metrics;

/// <summary>A sample.</summary>
internal sealed record Sample(string Name, IReadOnlyDictionary<string, string> Labels, double Value);

/// <summary>
/// Reads Prometheus' text format, version 0.0.4, as strictly as its own parser does: a metric has one TYPE and one HELP
/// before its samples, its samples come together, no two have the same labels, and every line ends in a line feed.
/// </summary>
internal sealed class MetricsParser
{
    private readonly Dictionary<string, string> _types = new(StringComparer.Ordinal);
    private readonly HashSet<string> _helps = new(StringComparer.Ordinal);
    private readonly HashSet<string> _over = new(StringComparer.Ordinal);
    private readonly HashSet<string> _seen = new(StringComparer.Ordinal);
    private readonly List<Sample> _samples = [];
    private string? _current;

    public IReadOnlyList<Sample> Samples => _samples;

    public IReadOnlyDictionary<string, string> Types => _types;

    public static MetricsParser Parse(string text)
    {
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        var parser = new MetricsParser();
        foreach (var line in text[..^1].Split('\n')) parser.Read(line);
        foreach (var (name, type) in parser._types)
        {
            Assert.Contains(name, parser._helps);
            if (type == "counter") Assert.EndsWith("_total", name, StringComparison.Ordinal);
        }
        return parser;
    }

    public double Value(string name, params (string Name, string Value)[] labels) =>
        Assert.Single(_samples, s => s.Name == name && labels.All(l => s.Labels.TryGetValue(l.Name, out var value) && value == l.Value)).Value;

    private void Read(string line)
    {
        if (line.StartsWith("# TYPE ", StringComparison.Ordinal))
        {
            var parts = line.Split(' ');
            Assert.Equal(4, parts.Length);
            Begin(parts[2]);
            Assert.True(_types.TryAdd(parts[2], parts[3]), line);
            Assert.Contains(parts[3], (string[])["counter", "gauge", "untyped"]);
        }
        else if (line.StartsWith("# HELP ", StringComparison.Ordinal))
        {
            var name = line.Split(' ')[2];
            Begin(name);
            Assert.True(_helps.Add(name), line);
        }
        else
        {
            ReadSample(line);
        }
    }

    private void Begin(string name)
    {
        if (_current == name) return;
        if (_current is not null) _over.Add(_current);
        Assert.DoesNotContain(name, _over);
        _current = name;
    }

    private void ReadSample(string line)
    {
        var at = 0;
        while (at < line.Length && (char.IsAsciiLetterOrDigit(line[at]) || line[at] is '_' or ':')) at++;
        var name = line[..at];
        Assert.True(_types.ContainsKey(name), line);
        Begin(name);
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        if (line[at] == '{')
        {
            at++;
            while (line[at] != '}')
            {
                if (line[at] == ',') at++;
                var equals = line.IndexOf('=', at);
                var label = line[at..equals];
                Assert.Matches("^[a-zA-Z_][a-zA-Z0-9_]*$", label);
                Assert.Equal('"', line[equals + 1]);
                var value = new StringBuilder();
                for (at = equals + 2; line[at] != '"'; at++)
                {
                    if (line[at] == '\\')
                    {
                        at++;
                        value.Append(line[at] switch { 'n' => '\n', '\\' => '\\', '"' => '"', _ => throw new FormatException(line) });
                        continue;
                    }
                    value.Append(line[at]);
                }
                at++;
                Assert.True(labels.TryAdd(label, value.ToString()), line);
            }
            at++;
        }
        Assert.Equal(' ', line[at]);
        Assert.True(_seen.Add(line[..at]), line);
        var number = line[(at + 1)..];
        _samples.Add(new Sample(name, labels, number is "NaN" ? double.NaN : double.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture)));
    }
}
