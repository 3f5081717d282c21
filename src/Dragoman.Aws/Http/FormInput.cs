using System.Globalization;
using System.Text;

namespace Dragoman.Aws.Http;

/// <summary>Parameters of the Query protocol: names with dots and numbers, in the query of the address or a form in the body.</summary>
internal sealed class FormInput : Input
{
    private const int MaxParameters = 10_000;

    // No operation has a name of more than eight parts; each part of a name costs its whole beginning.
    private const int MaxNameLength = 512;
    private const int MaxNameParts = 16;

    private readonly Dictionary<string, string> _values;
    private readonly HashSet<string> _prefixes;
    private readonly string _prefix;

    private FormInput(Dictionary<string, string> values, HashSet<string> prefixes, string prefix)
    {
        _values = values;
        _prefixes = prefixes;
        _prefix = prefix;
    }

    /// <summary>Reads the parameters of a query and a form.</summary>
    /// <param name="query">The address' query, without the question mark; may be empty.</param>
    /// <param name="form">The body; may be empty.</param>
    /// <exception cref="AwsException">There are too many, or their names are too long.</exception>
    public static FormInput Parse(string query, ReadOnlySpan<byte> form)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        Add(values, Encoding.UTF8.GetBytes(query));
        Add(values, form);
        var prefixes = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in values.Keys)
        {
            for (var dot = name.IndexOf('.', StringComparison.Ordinal); dot >= 0; dot = name.IndexOf('.', dot + 1)) prefixes.Add(name[..dot]);
            prefixes.Add(name);
        }
        return new FormInput(values, prefixes, "");
    }

    public override bool Has(string name) => _prefixes.Contains(_prefix + name);

    public override string? Text(string name) => _values.GetValueOrDefault(_prefix + name);

    public override bool TryUtf8(string name, out ReadOnlySpan<byte> utf8)
    {
        utf8 = default;
        if (Text(name) is not { } text) return false;
        utf8 = Encoding.UTF8.GetBytes(text);
        return true;
    }

    public override Input? Structure(string name) => Has(name) ? new FormInput(_values, _prefixes, $"{_prefix}{name}.") : null;

    public override IReadOnlyList<Input> Structures(string name, string prefix)
    {
        var items = new List<Input>();
        foreach (var item in Numbered(prefix)) items.Add(new FormInput(_values, _prefixes, item + "."));
        return items;
    }

    public override IReadOnlyList<string> Texts(string name, string prefix)
    {
        var items = new List<string>();
        foreach (var item in Numbered(prefix))
            if (_values.TryGetValue(item, out var text)) items.Add(text);
        // A list of one may go without its number.
        if (items.Count == 0 && _values.TryGetValue(_prefix + prefix, out var only)) items.Add(only);
        return items;
    }

    public override IReadOnlyList<(string Key, Input Value)> StructureMap(string name, string prefix, string key, string value)
    {
        var entries = new List<(string, Input)>();
        foreach (var item in Numbered(prefix))
            if (_values.TryGetValue($"{item}.{key}", out var text)) entries.Add((text, new FormInput(_values, _prefixes, $"{item}.{value}.")));
        return entries;
    }

    public override IReadOnlyList<(string Key, string Value)> TextMap(string name, string prefix, string key, string value)
    {
        var entries = new List<(string, string)>();
        foreach (var item in Numbered(prefix))
            if (_values.TryGetValue($"{item}.{key}", out var text)) entries.Add((text, _values.GetValueOrDefault($"{item}.{value}", "")));
        if (entries.Count == 0 && _values.TryGetValue($"{_prefix}{prefix}.{key}", out var only)) entries.Add((only, _values.GetValueOrDefault($"{_prefix}{prefix}.{value}", "")));
        return entries;
    }

    private IEnumerable<string> Numbered(string prefix)
    {
        for (var n = 1; ; n++)
        {
            var item = string.Create(CultureInfo.InvariantCulture, $"{_prefix}{prefix}.{n}");
            if (!_prefixes.Contains(item)) yield break;
            yield return item;
        }
    }

    private static void Add(Dictionary<string, string> values, ReadOnlySpan<byte> form)
    {
        var decoded = new byte[form.Length];
        while (!form.IsEmpty)
        {
            var end = form.IndexOf((byte)'&');
            var pair = end < 0 ? form : form[..end];
            form = end < 0 ? default : form[(end + 1)..];
            if (pair.IsEmpty) continue;
            var equals = pair.IndexOf((byte)'=');
            var name = Decode(equals < 0 ? pair : pair[..equals], decoded);
            if (name.Length > MaxNameLength || name.AsSpan().Count('.') >= MaxNameParts) throw new AwsException("MalformedQueryString", $"The name of a parameter has at most {MaxNameLength} characters, and {MaxNameParts} parts.");
            if (values.Count >= MaxParameters) throw new AwsException("MalformedQueryString", $"A request has at most {MaxParameters} parameters.");
            values[name] = equals < 0 ? "" : Decode(pair[(equals + 1)..], decoded);
        }
    }

    private static string Decode(ReadOnlySpan<byte> text, byte[] decoded)
    {
        var length = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var b = text[i];
            if (b == '+') b = (byte)' ';
            else if (b == '%' && i + 2 < text.Length && HexDigit(text[i + 1]) is var high and >= 0 && HexDigit(text[i + 2]) is var low and >= 0)
            {
                b = (byte)(high << 4 | low);
                i += 2;
            }
            decoded[length++] = b;
        }
        return Encoding.UTF8.GetString(decoded, 0, length);
    }

    private static int HexDigit(byte b) => char.IsAsciiHexDigit((char)b) ? Convert.ToInt32(((char)b).ToString(), 16) : -1;
}
