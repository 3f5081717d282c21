using System.Xml.Linq;

namespace Dragoman.Conformance;

/// <summary>A test method with all its cases, as the reports of a run tell of it.</summary>
/// <param name="Class">Its class, without the namespace.</param>
/// <param name="Name">Its name.</param>
/// <param name="Source">Its file, from the root of the repository on.</param>
/// <param name="Rows">The rows that it proves.</param>
/// <param name="Clients">The clients that it uses, and their versions.</param>
/// <param name="Passed">Whether all its cases passed.</param>
internal sealed record TestMethod(string Class, string Name, string Source, IReadOnlySet<string> Rows, IReadOnlyDictionary<string, string> Clients, bool Passed)
{
    private const string VersionPrefix = "version of ";

    /// <summary>Reads all tests with rows out of the reports in a directory.</summary>
    public static List<TestMethod> ReadAll(string directory, string root) =>
    [
        .. Directory.GetFiles(directory, "*.xml").Order(StringComparer.Ordinal)
            .SelectMany(file => XDocument.Load(file).Descendants("test"))
            .GroupBy(test => ((string)test.Attribute("type")!, (string)test.Attribute("method")!))
            .Select(cases => Of(cases.Key.Item1, cases.Key.Item2, [.. cases], root))
            .Where(method => method.Rows.Count > 0),
    ];

    private static TestMethod Of(string type, string name, IReadOnlyList<XElement> cases, string root)
    {
        var source = (string?)cases[0].Attribute("source-file") ?? "";
        var versions = cases.Descendants("attachment")
            .Where(a => ((string)a.Attribute("name")!).StartsWith(VersionPrefix, StringComparison.Ordinal))
            .GroupBy(a => ((string)a.Attribute("name")!)[VersionPrefix.Length..])
            .ToDictionary(g => g.Key, g => g.First().Value);
        return new TestMethod(
            type[(type.LastIndexOf('.') + 1)..],
            name,
            source.Length == 0 ? "" : Path.GetRelativePath(root, source).Replace('\\', '/'),
            Traits("Row").ToHashSet(),
            Traits("Client").Distinct().ToDictionary(client => client, client => versions.GetValueOrDefault(client, "")),
            cases.All(c => (string?)c.Attribute("result") == "Pass"));

        IEnumerable<string> Traits(string trait) =>
            cases.Descendants("trait").Where(t => (string?)t.Attribute("name") == trait).Select(t => (string)t.Attribute("value")!);
    }
}
