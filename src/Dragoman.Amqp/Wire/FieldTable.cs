namespace Dragoman.Amqp.Wire;

/// <summary>Names and typed values, in order. Decoded: what messages carry stays encoded until somebody looks.</summary>
internal sealed class FieldTable : IEquatable<FieldTable>
{
    private readonly List<KeyValuePair<string, FieldValue>> _fields;

    /// <summary>Creates a table.</summary>
    public FieldTable(params IEnumerable<KeyValuePair<string, FieldValue>> fields) => _fields = [.. fields];

    /// <summary>A table without fields.</summary>
    public static FieldTable Empty { get; } = new();

    /// <summary>The fields, in order.</summary>
    public IReadOnlyList<KeyValuePair<string, FieldValue>> Fields => _fields;

    /// <summary>How many fields there are.</summary>
    public int Count => _fields.Count;

    /// <summary>Finds a field; of several with one name, the first.</summary>
    public bool TryGet(string name, out FieldValue value)
    {
        foreach (var (key, field) in _fields)
        {
            if (!string.Equals(key, name, StringComparison.Ordinal)) continue;
            value = field;
            return true;
        }
        value = default;
        return false;
    }

    /// <summary>The same with a field added, or put in the place of the one that has its name.</summary>
    public FieldTable With(string name, FieldValue value)
    {
        var fields = new List<KeyValuePair<string, FieldValue>>(_fields);
        var at = fields.FindIndex(f => f.Key == name);
        if (at < 0) fields.Add(new(name, value));
        else fields[at] = new(name, value);
        return new FieldTable(fields);
    }

    public bool Equals(FieldTable? other)
    {
        if (other is null || other.Count != Count) return false;
        for (var i = 0; i < Count; i++)
            if (_fields[i].Key != other._fields[i].Key || !_fields[i].Value.Equals(other._fields[i].Value)) return false;
        return true;
    }

    public override bool Equals(object? obj) => Equals(obj as FieldTable);

    public override int GetHashCode() => Count == 0 ? 0 : HashCode.Combine(Count, _fields[0].Key);

    public override string ToString() => $"[{string.Join(',', _fields.Select(f => $"{{{f.Key},{f.Value}}}"))}]";
}
