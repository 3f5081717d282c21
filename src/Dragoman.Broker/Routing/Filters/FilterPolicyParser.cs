using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Dragoman.Broker.Routing.Filters;

/// <summary>
/// Reads a filter policy, with the limits that SNS has for one, and its words for what is wrong: recorded answers of AWS name
/// the line and column where its own parser stood.
/// </summary>
internal sealed class FilterPolicyParser(string json, FilterScope scope)
{
    private const int MaxKeys = 5;
    private const long MaxCombinations = 150;
    private const int MaxWildcards = 3;
    private const int MaxFields = 150;

    private readonly byte[] _utf8 = Encoding.UTF8.GetBytes(json);
    private readonly List<FilterField> _fields = [];

    /// <summary>What a policy is compiled to: its fields, and the sets of them of which one has to hold.</summary>
    public readonly record struct Parsed(FilterField[] Fields, int[][] Alternatives);

    /// <summary>An object of a policy: its keys, and its choices.</summary>
    private sealed class Node
    {
        public List<(string Key, int Count, FilterCondition[] Conditions)> Leaves { get; } = [];

        public List<(string Key, Node Child)> Children { get; } = [];

        public List<List<Node>> Choices { get; } = [];

        public int Keys => Leaves.Count + Children.Count + Choices.Count;
    }

    /// <exception cref="FilterPolicyException">It is not a policy, or too large a one.</exception>
    public Parsed Parse()
    {
        var root = ReadRoot();
        if (root.Keys > MaxKeys) throw new FilterPolicyException($"Filter policy can not have more than {MaxKeys} keys");
        if (Combinations(root, 1) > MaxCombinations) throw new FilterPolicyException("Filter policy is too complex");
        var alternatives = Flatten(root, "", [[]]);
        return new Parsed([.. _fields], [.. alternatives.Select(static a => a.ToArray())]);
    }

    private Node ReadRoot()
    {
        try
        {
            var reader = new Utf8JsonReader(_utf8, new JsonReaderOptions { MaxDepth = 64 });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) throw At(reader, "Filter is not an object");
            var root = ReadObject(ref reader);
            while (reader.Read())
            {
                // What follows the object is an error of its own.
            }
            return root;
        }
        catch (JsonException error)
        {
            throw NotJson(error);
        }
        catch (InvalidOperationException)
        {
            throw new FilterPolicyException("failed to parse JSON. Invalid UTF-8 in a text");
        }
    }

    private Node ReadObject(ref Utf8JsonReader reader)
    {
        var node = new Node();
        while (Next(ref reader) != JsonTokenType.EndObject)
        {
            var key = reader.GetString()!;
            switch (Next(ref reader))
            {
                case JsonTokenType.StartArray when key == "$or" && ReadChoices(ref reader) is { } choices:
                    node.Choices.Add(choices);
                    break;
                case JsonTokenType.StartArray:
                    var conditions = ReadConditions(ref reader);
                    node.Leaves.RemoveAll(l => l.Key == key);
                    node.Leaves.Add((key, conditions.Count, [.. conditions]));
                    break;
                case JsonTokenType.StartObject:
                    var child = ReadObject(ref reader);
                    node.Children.Add((key, child));
                    break;
                default:
                    throw At(reader, $"\"{key}\" must be an object or an array");
            }
        }
        if (node.Keys == 0 && reader.CurrentDepth > 0) throw At(reader, "Empty objects are not allowed");
        return node;
    }

    /// <summary>The choices of an <c>$or</c>: two objects at least, none of whose keys is the name of an operator; null for any other list.</summary>
    private List<Node>? ReadChoices(ref Utf8JsonReader reader)
    {
        var ahead = reader;
        var choices = new List<Node>();
        while (Next(ref ahead) != JsonTokenType.EndArray)
        {
            if (ahead.TokenType != JsonTokenType.StartObject) return null;
            var first = ahead;
            if (Next(ref first) == JsonTokenType.PropertyName && IsOperator(first.GetString()!)) return null;
            choices.Add(ReadObject(ref ahead));
        }
        if (choices.Count < 2) return null;
        reader = ahead;
        return choices;
    }

    private static bool IsOperator(string name) => name is "exists" or "prefix" or "suffix" or "anything-but" or "equals-ignore-case" or "wildcard" or "numeric" or "cidr";

    private List<FilterCondition> ReadConditions(ref Utf8JsonReader reader)
    {
        var conditions = new List<FilterCondition>();
        while (Next(ref reader) != JsonTokenType.EndArray)
        {
            if (reader.TokenType == JsonTokenType.StartObject) conditions.Add(ReadMatch(ref reader));
            else if (TryEqual(ref reader, out var equal)) conditions.Add(equal);
            else throw At(reader, "Match value must be String, number, true, false, or null");
        }
        return conditions.Count > 0 ? conditions : throw At(reader, "Empty arrays are not allowed");
    }

    private static bool TryEqual(ref Utf8JsonReader reader, out FilterCondition condition)
    {
        var isValue = FilterBody.TryValue(ref reader, out var value);
        condition = new FilterCondition { Kind = FilterConditionKind.Equal, ValueKind = value.Kind, Text = value.Text.ToArray(), Number = value.Number };
        return isValue;
    }

    private FilterCondition ReadMatch(ref Utf8JsonReader reader)
    {
        if (Next(ref reader) == JsonTokenType.EndObject) throw At(reader, "Empty match expressions are not allowed");
        var type = reader.GetString()!;
        Next(ref reader);
        var condition = type switch
        {
            "exists" => Exists(reader),
            "prefix" or "suffix" or "equals-ignore-case" or "wildcard" => OfText(ref reader, type),
            "anything-but" => AnythingBut(ref reader),
            "numeric" => Numeric(ref reader),
            "cidr" => Network(ref reader),
            _ => throw At(reader, $"Unrecognized match type {type}"),
        };
        if (Next(ref reader) == JsonTokenType.EndObject) return condition;
        Next(ref reader);
        throw At(reader, "Only one key allowed in match expression");
    }

    private FilterCondition Exists(in Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.True => new FilterCondition { Kind = FilterConditionKind.Exists, MustExist = true },
        JsonTokenType.False => new FilterCondition { Kind = FilterConditionKind.Exists, MustExist = false },
        _ => throw At(reader, "exists match pattern must be either true or false."),
    };

    private FilterCondition OfText(ref Utf8JsonReader reader, string type)
    {
        if (reader.TokenType != JsonTokenType.String) throw At(reader, $"{type} match pattern must be a string");
        var text = reader.GetString()!;
        return type switch
        {
            "prefix" => new FilterCondition { Kind = FilterConditionKind.Prefix, Text = Encoding.UTF8.GetBytes(text) },
            "suffix" => new FilterCondition { Kind = FilterConditionKind.Suffix, Text = Encoding.UTF8.GetBytes(text) },
            "wildcard" => new FilterCondition { Kind = FilterConditionKind.Wildcard, Parts = Pattern(reader, text) },
            _ => new FilterCondition { Kind = FilterConditionKind.EqualIgnoringCase, Text = Encoding.UTF8.GetBytes(text) },
        };
    }

    /// <summary>The parts of a pattern. A backslash before an asterisk or a backslash takes its meaning away.</summary>
    private byte[][] Pattern(in Utf8JsonReader reader, string text)
    {
        var parts = new List<byte[]>();
        var part = new StringBuilder();
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '\\')
            {
                if (i + 1 == text.Length || text[i + 1] is not ('*' or '\\')) throw At(reader, $"Invalid escape character at pos {i}", isRead: true);
                part.Append(text[++i]);
                continue;
            }
            if (text[i] != '*')
            {
                part.Append(text[i]);
                continue;
            }
            if (i > 0 && text[i - 1] == '*' && part.Length == 0) throw At(reader, $"Consecutive wildcard characters at pos {i - 1}", isRead: true);
            parts.Add(Encoding.UTF8.GetBytes(part.ToString()));
            part.Clear();
        }
        parts.Add(Encoding.UTF8.GetBytes(part.ToString()));
        if (parts.Count - 1 > MaxWildcards) throw new FilterPolicyException("Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character");
        return [.. parts];
    }

    private FilterCondition AnythingBut(ref Utf8JsonReader reader)
    {
        var excluded = new List<FilterCondition>();
        if (reader.TokenType == JsonTokenType.StartArray)
        {
            while (Next(ref reader) != JsonTokenType.EndArray)
            {
                if (reader.TokenType is not (JsonTokenType.String or JsonTokenType.Number) || !TryEqual(ref reader, out var item)) throw At(reader, "Value of anything-but must be an array or single string/number value");
                excluded.Add(item);
            }
            if (excluded.Count == 0) throw At(reader, "Empty arrays are not allowed");
        }
        else if (reader.TokenType == JsonTokenType.StartObject)
        {
            if (Next(ref reader) == JsonTokenType.EndObject) throw At(reader, "Empty match expressions are not allowed");
            var type = reader.GetString()!;
            Next(ref reader);
            if (type is not ("prefix" or "suffix" or "wildcard" or "equals-ignore-case")) throw At(reader, $"Unsupported anything-but pattern: {type}");
            ReadExcluded(ref reader, type, excluded);
            if (Next(ref reader) != JsonTokenType.EndObject)
            {
                Next(ref reader);
                throw At(reader, "Only one key allowed in match expression");
            }
        }
        else if (reader.TokenType is JsonTokenType.String or JsonTokenType.Number && TryEqual(ref reader, out var single))
        {
            excluded.Add(single);
        }
        else
        {
            throw At(reader, "Value of anything-but must be an array or single string/number value");
        }
        return new FilterCondition { Kind = FilterConditionKind.AnythingBut, Excluded = [.. excluded] };
    }

    private void ReadExcluded(ref Utf8JsonReader reader, string type, List<FilterCondition> excluded)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            excluded.Add(OfText(ref reader, type));
            return;
        }
        while (Next(ref reader) != JsonTokenType.EndArray) excluded.Add(OfText(ref reader, type));
        if (excluded.Count == 0) throw At(reader, "Empty arrays are not allowed");
    }

    private FilterCondition Numeric(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray) throw At(reader, "Value of numeric must be an array.");
        Next(ref reader);
        if (reader.TokenType != JsonTokenType.String) throw At(reader, $"Invalid member in numeric match: {Shown(reader)}");
        var first = reader.GetString()!;
        Next(ref reader);
        if (first is not ("=" or "<" or "<=" or ">" or ">=")) throw At(reader, $"Unrecognized numeric range operator: {first}");
        var value = NumberOf(reader, first);
        if (Next(ref reader) == JsonTokenType.EndArray)
        {
            return first switch
            {
                "=" => new FilterCondition { Kind = FilterConditionKind.Equal, ValueKind = FilterValueKind.Number, Number = value },
                "<" => new FilterCondition { Kind = FilterConditionKind.Range, Below = value },
                "<=" => new FilterCondition { Kind = FilterConditionKind.Range, AtMost = value },
                ">" => new FilterCondition { Kind = FilterConditionKind.Range, Above = value },
                _ => new FilterCondition { Kind = FilterConditionKind.Range, AtLeast = value },
            };
        }
        if (first is not (">" or ">=")) throw At(reader, "Too many elements in numeric expression");
        if (reader.TokenType != JsonTokenType.String) throw At(reader, $"Bad value in numeric range: {Shown(reader)}");
        var second = reader.GetString()!;
        if (second is not ("<" or "<=")) throw At(reader, $"Bad numeric range operator: {second}", isRead: true);
        Next(ref reader);
        var top = NumberOf(reader, second);
        if (Next(ref reader) != JsonTokenType.EndArray) throw At(reader, "Too many terms in numeric range expression");
        if (top <= value) throw At(reader, "Bottom must be less than top");
        return new FilterCondition
        {
            Kind = FilterConditionKind.Range,
            Above = first == ">" ? value : null,
            AtLeast = first == ">=" ? value : null,
            Below = second == "<" ? top : null,
            AtMost = second == "<=" ? top : null,
        };
    }

    private decimal NumberOf(in Utf8JsonReader reader, string after) =>
        reader.TokenType == JsonTokenType.Number && FilterValue.TryNumber(reader.ValueSpan, out var number)
            ? number
            : throw At(reader, $"Value of {(after == "=" ? "equals" : after)} must be numeric");

    private FilterCondition Network(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String) throw At(reader, "prefix match pattern must be a string");
        var parts = reader.GetString()!.Split('/');
        if (parts.Length != 2) throw new FilterPolicyException("Malformed CIDR, one '/' required");
        if (!int.TryParse(parts[1], out var bits)) throw new FilterPolicyException("Malformed CIDR, mask bits must be an integer");
        if (!IPAddress.TryParse(parts[0], out var address)) throw new FilterPolicyException($"Nonstandard IP address: {parts[0]}");
        if (bits < 0) throw new FilterPolicyException("Malformed CIDR, mask bits must not be negative");
        var size = address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        if (bits > size) throw new FilterPolicyException($"IPv{(size == 32 ? 4 : 6)} mask bits must be < {size + 1}");
        return new FilterCondition { Kind = FilterConditionKind.Network, Network = new IPNetwork(Masked(address, bits), bits) };
    }

    private static IPAddress Masked(IPAddress address, int bits)
    {
        var bytes = address.GetAddressBytes();
        for (var i = 0; i < bytes.Length; i++)
        {
            var kept = Math.Clamp(bits - (8 * i), 0, 8);
            bytes[i] &= (byte)(0xFF << (8 - kept));
        }
        return new IPAddress(bytes);
    }

    /// <summary>How many combinations of values a policy has: each key counts with its values and its depth, a choice with the sum of its objects.</summary>
    private static long Combinations(Node node, int depth)
    {
        long product = 1;
        foreach (var (_, count, _) in node.Leaves) product = Times(product, (long)count * depth);
        foreach (var (_, child) in node.Children) product = Times(product, Combinations(child, depth + 1));
        foreach (var choices in node.Choices)
        {
            long sum = 0;
            foreach (var choice in choices) sum = Math.Min(MaxCombinations + 1, sum + Combinations(choice, depth));
            product = Times(product, sum);
        }
        return product;

        static long Times(long one, long other) => Math.Min(MaxCombinations + 1, one * other);
    }

    /// <summary>Takes the choices apart: the sets of fields of which one has to hold.</summary>
    private List<List<int>> Flatten(Node node, string prefix, List<List<int>> sets)
    {
        foreach (var (key, _, conditions) in node.Leaves)
        {
            // Each costs every value of every message: within the choices of an $or their number has no other bound.
            if (_fields.Count == MaxFields) throw new FilterPolicyException("Filter policy is too complex");
            _fields.Add(new FilterField(prefix + key, conditions));
            foreach (var set in sets) set.Add(_fields.Count - 1);
        }
        foreach (var (key, child) in node.Children)
        {
            if (scope == FilterScope.Attributes) throw new FilterPolicyException(NestedMessage);
            sets = Flatten(child, $"{prefix}{key}.", sets);
        }
        foreach (var choices in node.Choices)
        {
            var all = new List<List<int>>();
            foreach (var choice in choices) all.AddRange(Flatten(choice, prefix, sets.ConvertAll(static s => new List<int>(s))));
            sets = all;
        }
        return sets;
    }

    /// <summary>What is said of a policy over attributes that has objects in it.</summary>
    public const string NestedMessage = "Filter policy scope MessageAttributes does not support nested filter policy";

    private static JsonTokenType Next(ref Utf8JsonReader reader) => reader.Read() ? reader.TokenType : throw new JsonException("The text ends too soon.", null, 0, reader.BytesConsumed);

    private static string Shown(in Utf8JsonReader reader) => reader.TokenType switch
    {
        JsonTokenType.StartArray => "[",
        JsonTokenType.EndArray => "]",
        JsonTokenType.StartObject => "{",
        _ => Encoding.UTF8.GetString(reader.ValueSpan),
    };

    /// <summary>An error and where it is: behind the token, but for a text that nobody has read yet, where it is behind the first quote.</summary>
    private FilterPolicyException At(in Utf8JsonReader reader, string message, bool isRead = false)
    {
        var position = reader.TokenType == JsonTokenType.String && !isRead ? reader.TokenStartIndex + 1 : reader.BytesConsumed;
        var line = 1;
        var column = 1;
        foreach (var b in _utf8.AsSpan(0, (int)position))
        {
            if (b == '\n')
            {
                line++;
                column = 1;
            }
            else if ((b & 0xC0) != 0x80)
            {
                column++;
            }
        }
        return new FilterPolicyException($"{message}\n at [Source: (String)\"{json}\"; line: {line}, column: {column}]");
    }

    private FilterPolicyException NotJson(JsonException error)
    {
        const string Source = "[Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)";
        var line = (error.LineNumber ?? 0) + 1;
        var at = 0;
        for (var n = 1L; n < line; n++) at = Math.Max(at, json.IndexOf('\n', at) + 1);
        at = Math.Min(json.Length, at + (int)(error.BytePositionInLine ?? 0));
        var column = at - (line > 1 ? json.LastIndexOf('\n', Math.Max(0, at - 1)) + 1 : 0) + 1;
        if (at >= json.Length) return new FilterPolicyException($"failed to parse JSON. Unexpected end-of-input\n at {Source}; line: {line}, column: {column}]");
        var end = at;
        while (end < json.Length && (char.IsAsciiLetterOrDigit(json[end]) || json[end] is '_' or '$')) end++;
        var before = json.AsSpan(0, at).TrimEnd();
        if (before.Length > 0 && before[^1] is '{' or ',')
            return new FilterPolicyException($"failed to parse JSON. Unexpected character ('{json[at]}' (code {(int)json[at]})): was expecting double-quote to start field name\n at {Source}; line: {line}, column: {column}]");
        if (end > at)
            return new FilterPolicyException($"failed to parse JSON. Unrecognized token '{json[at..end]}': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n at {Source}; line: {line}, column: {column + end - at}]");
        return new FilterPolicyException($"failed to parse JSON. Unexpected character ('{json[at]}' (code {(int)json[at]}))\n at {Source}; line: {line}, column: {column}]");
    }
}
