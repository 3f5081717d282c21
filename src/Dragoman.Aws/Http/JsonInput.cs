using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;

namespace Dragoman.Aws.Http;

/// <summary>Parameters in the body of the JSON protocol.</summary>
internal sealed class JsonInput(JsonElement element) : Input
{
    private static readonly JsonDocumentOptions s_options = new() { MaxDepth = 32, AllowTrailingCommas = false };

    /// <summary>Reads a body; the document has to outlive the input.</summary>
    /// <exception cref="AwsException">It is not an object in JSON.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            if (!IsText(body.Span)) throw AwsException.Serialization("The body of the request is not valid text.");
            var document = JsonDocument.Parse(body.IsEmpty ? "{}"u8.ToArray() : body, s_options);
            if (document.RootElement.ValueKind == JsonValueKind.Object) return document;
            document.Dispose();
        }
        catch (JsonException)
        {
        }
        throw AwsException.Serialization("The body of the request is not a JSON object.");
    }

    /// <summary>Whether all texts are Unicode: the parser itself looks at neither bytes nor escapes until a text is asked for.</summary>
    /// <exception cref="JsonException">It is not JSON.</exception>
    private static bool IsText(ReadOnlySpan<byte> body)
    {
        if (!Utf8.IsValid(body)) return false;
        // Escapes of surrogates are rare; only they can be halves.
        if (body.IndexOf("\\ud"u8) < 0 && body.IndexOf("\\uD"u8) < 0) return true;
        var reader = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = s_options.MaxDepth });
        try
        {
            while (reader.Read())
                if (reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName && reader.ValueIsEscaped) reader.GetString();
        }
        catch (InvalidOperationException)
        {
            return false;
        }
        return true;
    }

    public override bool Has(string name) => Find(name) is not null;

    public override string? Text(string name)
    {
        if (Find(name) is not { } value) return null;
        return TextOf(value, name);
    }

    public override bool TryUtf8(string name, out ReadOnlySpan<byte> utf8)
    {
        utf8 = default;
        if (Find(name) is not { } value) return false;
        if (value.ValueKind != JsonValueKind.String) throw WrongType(value, name);
        var raw = JsonMarshal.GetRawUtf8Value(value)[1..^1];
        if (!raw.Contains((byte)'\\'))
        {
            utf8 = raw;
            return true;
        }
        // The reader undoes the escapes, and refuses what is no text (half a surrogate pair).
        var reader = new Utf8JsonReader(JsonMarshal.GetRawUtf8Value(value));
        reader.Read();
        var unescaped = new byte[raw.Length];
        try
        {
            utf8 = unescaped.AsSpan(0, reader.CopyString(unescaped));
        }
        catch (InvalidOperationException)
        {
            throw AwsException.Serialization($"The text of {name} is not valid.");
        }
        return true;
    }

    public override Input? Structure(string name) => Find(name) is { } value ? new JsonInput(ObjectOf(value, name)) : null;

    public override IReadOnlyList<Input> Structures(string name, string prefix)
    {
        if (Find(name) is not { } list) return [];
        if (list.ValueKind != JsonValueKind.Array) throw WrongType(list, name);
        var items = new List<Input>(list.GetArrayLength());
        foreach (var item in list.EnumerateArray()) items.Add(new JsonInput(ObjectOf(item, name)));
        return items;
    }

    public override IReadOnlyList<string> Texts(string name, string prefix)
    {
        if (Find(name) is not { } list) return [];
        if (list.ValueKind != JsonValueKind.Array) throw WrongType(list, name);
        var items = new List<string>(list.GetArrayLength());
        foreach (var item in list.EnumerateArray()) items.Add(TextOf(item, name));
        return items;
    }

    public override IReadOnlyList<(string Key, Input Value)> StructureMap(string name, string prefix, string key, string value)
    {
        if (Find(name) is not { } map) return [];
        var entries = new List<(string, Input)>();
        foreach (var entry in ObjectOf(map, name).EnumerateObject()) entries.Add((entry.Name, new JsonInput(ObjectOf(entry.Value, name))));
        return entries;
    }

    public override IReadOnlyList<(string Key, string Value)> TextMap(string name, string prefix, string key, string value)
    {
        if (Find(name) is not { } map) return [];
        var entries = new List<(string, string)>();
        foreach (var entry in ObjectOf(map, name).EnumerateObject()) entries.Add((entry.Name, TextOf(entry.Value, name)));
        return entries;
    }

    private JsonElement? Find(string name) => element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static JsonElement ObjectOf(JsonElement value, string name) => value.ValueKind == JsonValueKind.Object ? value : throw WrongType(value, name);

    // Numbers and truth values count as what they are written as, so that clients of either habit are understood.
    private static string TextOf(JsonElement value, string name)
    {
        try
        {
            return value.ValueKind switch
            {
                JsonValueKind.String => value.GetString()!,
                JsonValueKind.Number => value.GetRawText(),
                JsonValueKind.True => "true",
                JsonValueKind.False => "false",
                _ => throw WrongType(value, name),
            };
        }
        catch (InvalidOperationException)
        {
            throw AwsException.Serialization($"The text of {name} is not valid.");
        }
    }

    private static AwsException WrongType(JsonElement value, string name) => AwsException.Serialization($"{name} cannot be a JSON value of kind {value.ValueKind}.");
}
