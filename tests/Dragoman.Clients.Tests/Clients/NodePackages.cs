using System.Text.Json.Nodes;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Clients;

/// <summary>The npm packages that <c>scripts/node/package-lock.json</c> names, once <c>npm ci</c> has installed them.</summary>
internal static class NodePackages
{
    private static string Folder => Repository.PathOf("tests", "Dragoman.Clients.Tests", "scripts", "node");

    /// <summary>The version of a package that is installed.</summary>
    /// <exception cref="InvalidOperationException">It is not installed.</exception>
    public static async Task<string> VersionAsync(string package)
    {
        var file = Path.Join(Folder, "node_modules", package, "package.json");
        if (!File.Exists(file)) throw new InvalidOperationException($"{package} is not installed: run 'npm ci' in {Folder}.");
        return (string)JsonNode.Parse(await File.ReadAllTextAsync(file))!["version"]!;
    }
}
