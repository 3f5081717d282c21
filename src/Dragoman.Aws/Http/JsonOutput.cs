using System.Text.Encodings.Web;
using System.Text.Json;
using Dragoman.Storage.Records;

namespace Dragoman.Aws.Http;

/// <summary>
/// Writes answers of the JSON protocol, and of the Query protocol to clients that ask for JSON there. Reused from request to
/// request; not safe for concurrent use.
/// </summary>
internal sealed class JsonOutput : Output, IDisposable
{
    private readonly PooledBuffer _buffer = new();
    private readonly Utf8JsonWriter _json;
    private readonly bool _lowersLists;

    /// <param name="lowersLists">Whether names of lists begin with a small letter, as they do where the Query protocol answers in JSON.</param>
    public JsonOutput(bool lowersLists = false)
    {
        _lowersLists = lowersLists;
        _json = new Utf8JsonWriter(_buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });
        Begin();
    }

    /// <summary>Whether it holds little memory.</summary>
    public bool IsSmall => _buffer.Capacity <= 64 << 10;

    /// <summary>Begins anew.</summary>
    public void Begin()
    {
        _buffer.Clear();
        _json.Reset(_buffer);
        _json.WriteStartObject();
    }

    /// <summary>Ends the answer.</summary>
    /// <returns>Its bytes, valid until the next <see cref="Begin"/>.</returns>
    public ReadOnlyMemory<byte> End()
    {
        _json.WriteEndObject();
        _json.Flush();
        return _buffer.WrittenMemory;
    }

    public override void Text(string name, string value) => _json.WriteString(name, value);

    public override void Utf8(string name, ReadOnlySpan<byte> value)
    {
        // What another protocol sent need not be text.
        if (System.Text.Unicode.Utf8.IsValid(value)) _json.WriteString(name, value);
        else _json.WriteString(name, System.Text.Encoding.UTF8.GetString(value));
    }

    public override void Integer(string name, long value) => _json.WriteNumber(name, value);

    public override void Truth(string name, bool value) => _json.WriteBoolean(name, value);

    public override void Bytes(string name, ReadOnlySpan<byte> value) => _json.WriteBase64String(name, value);

    public override void BeginStructure(string name) => _json.WriteStartObject(name);

    public override void EndStructure() => _json.WriteEndObject();

    public override void BeginList(string name, string element) => _json.WriteStartArray(_lowersLists ? char.ToLowerInvariant(name[0]) + name[1..] : name);

    public override void BeginItem() => _json.WriteStartObject();

    public override void EndItem() => _json.WriteEndObject();

    public override void Item(string value) => _json.WriteStringValue(value);

    public override void EndList() => _json.WriteEndArray();

    public override void BeginMap(string name, string element, string key, string value) => _json.WriteStartObject(name);

    public override void Entry(string key, string value) => _json.WriteString(key, value);

    public override void BeginEntry(string key) => _json.WriteStartObject(key);

    public override void EndEntry() => _json.WriteEndObject();

    public override void EndMap() => _json.WriteEndObject();

    public void Dispose()
    {
        _json.Dispose();
        _buffer.Dispose();
    }
}
