using Dragoman.Conformance;

// dragoman-conformance ROOT REPORTS OUTPUT: makes the document of what is claimed in ROOT/docs/claims out of the reports
// of a test run, and holds it against ROOT/docs/conformance.md. Ends with 1, and says why, if a claimed row is not proved
// with a client, or if the document that is there says more than is so. That it says less is mentioned, and no failure:
// then OUTPUT takes its place.
if (args.Length != 3)
{
    Console.Error.WriteLine("It takes the root of the repository, the directory of the reports, and the file to write.");
    return 2;
}
var (root, reports, output) = (Path.GetFullPath(args[0]), args[1], args[2]);
var files = ClaimFile.ReadAll(Path.Join(root, "docs", "claims"));
var tests = TestMethod.ReadAll(reports, root);
var claims = files.SelectMany(f => f.Claims).ToList();
var document = Document.Write(files, tests);
File.WriteAllText(output, document);

var failures = 0;
foreach (var claim in claims.Where(c => !Document.Proving(c, tests).Any(t => t.Clients.Count > 0)))
{
    Console.WriteLine($"{claim.Id} ({claim.Name}) is claimed, and no test with an unmodified client passed that proves it.");
    failures++;
}
var committed = Path.Join(root, "docs", "conformance.md");
var said = File.Exists(committed) ? Document.Read(File.ReadAllText(committed)) : [];
var proved = Document.Read(document);
foreach (var proof in said.Except(proved).OrderBy(p => p.Row, StringComparer.Ordinal))
{
    Console.WriteLine($"docs/conformance.md says that {proof.Row} is proved with {proof.Clients} by {proof.Test}, and it is not.");
    failures++;
}
var unclaimed = tests.Where(t => t.Passed).SelectMany(t => t.Rows).Except(claims.Select(c => c.Id)).Order(StringComparer.Ordinal).ToList();
if (unclaimed.Count > 0) Console.WriteLine($"Proved and not claimed: {string.Join(", ", unclaimed)}.");
var missing = proved.Except(said).Count();
if (missing > 0) Console.WriteLine($"docs/conformance.md lacks {missing} proofs; to renew it: cp {output} docs/conformance.md");
Console.WriteLine($"{claims.Count} rows claimed, {proved.Count} proofs, {failures} of them missing.");
return failures == 0 ? 0 : 1;
