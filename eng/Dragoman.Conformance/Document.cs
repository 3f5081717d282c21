using System.Text;
using System.Text.RegularExpressions;

namespace Dragoman.Conformance;

/// <summary>A line of the document: a test that proves a row with clients; versions aside, which vary with the machine.</summary>
/// <param name="Row">The row's id.</param>
/// <param name="Test">Class and name of the test.</param>
/// <param name="Clients">The clients' names.</param>
internal sealed record Proof(string Row, string Test, string Clients);

/// <summary><c>docs/conformance.md</c>.</summary>
internal static partial class Document
{
    private const string NoClient = "plain sockets or sessions";

    /// <summary>Writes the document of what was claimed and what passed.</summary>
    public static string Write(IReadOnlyList<ClaimFile> files, IReadOnlyList<TestMethod> tests)
    {
        var text = new StringBuilder();
        text.Append("""
            # Conformance

            What clients rely on, row by row, and what proves it. `./test.sh` makes this file out of its results. Which rows are
            claimed stands in [claims](claims); a claimed row without a test that passes with an unmodified client fails the tests.


            """);
        text.Append("| Client | Version |\n|---|---|\n");
        foreach (var client in tests.SelectMany(t => t.Clients).Where(c => c.Value.Length > 0).DistinctBy(c => c.Key).OrderBy(c => c.Key, StringComparer.OrdinalIgnoreCase))
            text.Append($"| {client.Key} | {client.Value} |\n");
        foreach (var file in files)
        {
            text.Append($"\n## {file.Heading}\n");
            foreach (var claim in file.Claims)
            {
                text.Append($"\n### {claim.Id} {claim.Name}\n\n{claim.Promise}\n\n");
                foreach (var test in Proving(claim, tests)) text.Append($"- {Label(test)}: {Sentence(test)}\n");
            }
        }
        return text.ToString();
    }

    /// <summary>The tests that passed and prove a row, those with clients first.</summary>
    public static IEnumerable<TestMethod> Proving(Claim claim, IReadOnlyList<TestMethod> tests) =>
        tests.Where(t => t.Passed && t.Rows.Contains(claim.Id)).OrderBy(t => t.Clients.Count == 0).ThenBy(Label, StringComparer.OrdinalIgnoreCase).ThenBy(t => t.Class, StringComparer.Ordinal).ThenBy(t => t.Name, StringComparer.Ordinal);

    /// <summary>What a document says.</summary>
    public static HashSet<Proof> Read(string text)
    {
        var proofs = new HashSet<Proof>();
        var row = "";
        foreach (var line in text.Split('\n'))
        {
            if (RowLine().Match(line) is { Success: true } heading) row = heading.Groups[1].Value;
            else if (ProofLine().Match(line) is { Success: true } proof) proofs.Add(new Proof(row, proof.Groups[2].Value, proof.Groups[1].Value));
        }
        return proofs;
    }

    private static string Label(TestMethod test) => test.Clients.Count == 0 ? NoClient : string.Join(", ", test.Clients.Keys.Order(StringComparer.OrdinalIgnoreCase));

    private static string Sentence(TestMethod test)
    {
        var words = test.Name.Replace('_', ' ');
        var named = test.Source.Length == 0 ? words : $"[{words}](../{test.Source})";
        return $"{named} (`{test.Class}`)";
    }

    [GeneratedRegex(@"^### (\S+) ")]
    private static partial Regex RowLine();

    [GeneratedRegex(@"^- (.+?): (.+)$")]
    private static partial Regex ProofLine();
}
