namespace Dragoman.Conformance;

/// <summary>A row that the project claims: what clients rely on.</summary>
/// <param name="Id">Its id, such as K9.</param>
/// <param name="Name">Its name.</param>
/// <param name="Promise">What clients can rely on.</param>
internal sealed record Claim(string Id, string Name, string Promise);

/// <summary>The rows of one file of <c>docs/claims</c>.</summary>
/// <param name="Heading">What they are about.</param>
/// <param name="Claims">The rows, in the order of the file.</param>
internal sealed record ClaimFile(string Heading, IReadOnlyList<Claim> Claims)
{
    /// <summary>Reads all files of a directory, in the order of their names.</summary>
    /// <exception cref="FormatException">A line is neither a comment nor a row, or a row is there twice.</exception>
    public static List<ClaimFile> ReadAll(string directory)
    {
        var files = Directory.GetFiles(directory, "*.txt").Order(StringComparer.Ordinal).Select(Read).ToList();
        var twice = files.SelectMany(f => f.Claims).GroupBy(c => c.Id).FirstOrDefault(g => g.Count() > 1);
        return twice is null ? files : throw new FormatException($"{twice.Key} is claimed twice.");
    }

    private static ClaimFile Read(string path)
    {
        string? heading = null;
        var claims = new List<Claim>();
        foreach (var line in File.ReadLines(path))
        {
            if (line.StartsWith('#'))
            {
                heading ??= line[1..].Trim();
                continue;
            }
            if (line.Length == 0) continue;
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            var bar = line.IndexOf(" | ", StringComparison.Ordinal);
            if (space < 0 || bar < space) throw new FormatException($"{path}: a row is 'ID NAME | PROMISE', not '{line}'.");
            claims.Add(new Claim(line[..space], line[space..bar].Trim(), line[(bar + 3)..].Trim()));
        }
        return new ClaimFile(heading ?? Path.GetFileNameWithoutExtension(path), claims);
    }
}
