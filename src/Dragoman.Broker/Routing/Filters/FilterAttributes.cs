using System.Text.Json;
using System.Text.Unicode;
using Dragoman.Broker.Messages;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Routing.Filters;

/// <summary>Looks at the free headers of a message for a policy.</summary>
internal static class FilterAttributes
{
    public static void Read(RecordHeaders headers, FilterField[] fields, Span<bool> found, Span<bool> holds)
    {
        headers.TryGetLast(HeaderTypes.Header, out var types);
        foreach (var header in headers)
        {
            var name = header.Key;
            if (name.StartsWith(Escape)) name = name[Escape.Length..];
            for (var i = 0; i < fields.Length; i++)
            {
                if (!name.SequenceEqual(fields[i].Path)) continue;
                Look(HeaderTypes.Find(types.Span, header.Key), header.Value.Span, fields[i], ref found[i], ref holds[i]);
            }
        }
    }

    /// <summary>What precedes a free header's name that has a meaning of its own otherwise.</summary>
    private static ReadOnlySpan<byte> Escape => "header:"u8;

    private static void Look(ReadOnlySpan<byte> type, ReadOnlySpan<byte> value, FilterField field, ref bool found, ref bool holds)
    {
        if (type.SequenceEqual("String.Array"u8))
        {
            found = true;
            holds |= LookAtList(value, field);
            return;
        }
        if (IsBytes(type) || (type.IsEmpty && !Utf8.IsValid(value))) return;
        found = true;
        if (type.SequenceEqual("V"u8)) holds |= field.Matches(FilterValue.OfNull);
        else holds |= field.Matches(IsNumber(type) ? FilterValue.OfNumber(value) : FilterValue.OfText(value));
    }

    // Bytes count as no attribute at all.
    private static bool IsBytes(ReadOnlySpan<byte> type) => type.StartsWith("Binary"u8) || (type.Length == 1 && type[0] is (byte)'x' or (byte)'F' or (byte)'A');

    private static bool IsNumber(ReadOnlySpan<byte> type) => type.StartsWith("Number"u8) || (type.Length == 1 && "bBsuIilfdD"u8.Contains(type[0]));

    /// <summary>Whether one of the values of a list matches.</summary>
    private static bool LookAtList(ReadOnlySpan<byte> json, FilterField field)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray) return false;
            var holds = false;
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                // Nothing but texts, numbers, truth values and null can be in it.
                if (!FilterBody.TryValue(ref reader, out var value)) return false;
                holds |= field.Matches(value);
            }
            return holds;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
