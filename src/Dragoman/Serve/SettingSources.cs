using System.Collections;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Dragoman.Commands;

namespace Dragoman.Serve;

/// <summary>
/// Where settings come from, strongest first: the command line, <c>DRAGOMAN_*</c> variables, <c>appsettings.json</c> in
/// the working directory, and the one beside the executable.
/// </summary>
internal sealed class SettingSources
{
    public const string VariablePrefix = "DRAGOMAN_";
    public const string FileName = "appsettings.json";

    // Variables of the other commands.
    private static readonly string[] OtherVariables = ["SERVER", "USER", "PASSWORD"];

    private readonly List<Dictionary<string, Value>> _layers = [];
    private readonly List<string> _warnings = [];

    private SettingSources()
    {
    }

    /// <summary>A value and where it was said, for messages.</summary>
    public readonly record struct Value(string Text, string Origin);

    /// <summary>What looks like a mistake but does no harm.</summary>
    public IReadOnlyList<string> Warnings => _warnings;

    /// <summary>Reads all sources.</summary>
    /// <param name="commandLine">What was given on the command line.</param>
    /// <param name="environment">The environment.</param>
    /// <param name="directories">Where <c>appsettings.json</c> may lie, the strongest first.</param>
    /// <exception cref="CommandException">A file is not readable or makes no sense.</exception>
    public static SettingSources Read(IReadOnlyDictionary<Setting, string> commandLine, IDictionary environment, params IEnumerable<string> directories)
    {
        var sources = new SettingSources();
        sources._layers.Add(commandLine.ToDictionary(p => Normalize(p.Key.Name), p => new Value(p.Value, p.Key.Option), StringComparer.Ordinal));
        sources.AddEnvironment(environment);
        foreach (var directory in directories.Select(Path.GetFullPath).Distinct()) sources.AddFile(Path.Join(directory, FileName));
        return sources;
    }

    /// <summary>What the strongest source says.</summary>
    public bool TryGet(Setting setting, out Value value)
    {
        var key = Normalize(setting.Name);
        foreach (var layer in _layers)
            if (layer.TryGetValue(key, out value)) return true;
        value = default;
        return false;
    }

    private void AddEnvironment(IDictionary environment)
    {
        var layer = new Dictionary<string, Value>(StringComparer.Ordinal);
        foreach (DictionaryEntry entry in environment)
        {
            var name = (string)entry.Key;
            if (!name.StartsWith(VariablePrefix, StringComparison.OrdinalIgnoreCase)) continue;
            var key = name[VariablePrefix.Length..];
            if (OtherVariables.Contains(key, StringComparer.OrdinalIgnoreCase)) continue;
            if (!IsKnown(key)) _warnings.Add($"{name} is set, but there is no such setting.");
            else if (entry.Value is string { Length: > 0 } text) layer[Normalize(key)] = new Value(text, name);
        }
        _layers.Add(layer);
    }

    [SuppressMessage("Design", "CA1031", Justification = "Any failure to read the file is reported with its name.")]
    private void AddFile(string path)
    {
        if (!File.Exists(path)) return;
        var layer = new Dictionary<string, Value>(StringComparer.Ordinal);
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw new CommandException($"{path} should hold an object.", ExitCode.Usage);
            // The file may also serve other readers, so only the section of our own is judged as a whole.
            AddObject(document.RootElement, path, layer, isOurs: false);
            foreach (var property in document.RootElement.EnumerateObject())
                if (property.Name.Equals("Dragoman", StringComparison.OrdinalIgnoreCase) && property.Value.ValueKind == JsonValueKind.Object)
                    AddObject(property.Value, path, layer, isOurs: true);
        }
        catch (Exception error) when (error is not CommandException)
        {
            throw new CommandException($"{path} cannot be read: {error.Message}", ExitCode.Usage);
        }
        _layers.Add(layer);
    }

    private void AddObject(JsonElement source, string path, Dictionary<string, Value> layer, bool isOurs)
    {
        foreach (var property in source.EnumerateObject())
        {
            if (!IsKnown(property.Name))
            {
                if (isOurs) _warnings.Add($"{path} says '{property.Name}', but there is no such setting.");
                continue;
            }
            var text = property.Value.ValueKind switch
            {
                JsonValueKind.String => property.Value.GetString()!,
                JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => property.Value.GetRawText(),
                JsonValueKind.Null => null,
                _ => throw new CommandException($"'{property.Name}' in {path} should be a text, a number or a truth value.", ExitCode.Usage),
            };
            if (text is not null) layer[Normalize(property.Name)] = new Value(text, $"'{property.Name}' in {path}");
        }
    }

    private static bool IsKnown(string name)
    {
        var key = Normalize(name);
        foreach (var setting in Setting.All)
            if (Normalize(setting.Name) == key) return true;
        return false;
    }

    /// <summary>commit-mode, COMMIT_MODE, commitMode and CommitMode are one.</summary>
    private static string Normalize(string name) =>
        name.Replace("-", "", StringComparison.Ordinal).Replace("_", "", StringComparison.Ordinal).ToUpperInvariant();
}
