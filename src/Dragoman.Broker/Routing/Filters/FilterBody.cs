using System.Buffers;
using System.Text;
using System.Text.Json;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Routing.Filters;

/// <summary>
/// Looks at the value of a message for a policy: every value that stands under a key of the policy counts, in lists too. A dot
/// in a key is as good as another level.
/// </summary>
internal static class FilterBody
{
    private const int MaxDepth = 256;

    /// <summary>Looks at a body.</summary>
    /// <returns>False if it is not a JSON object.</returns>
    public static bool TryRead(ReadOnlySpan<byte> json, FilterField[] fields, Span<bool> found, Span<bool> holds)
    {
        using var path = new PooledBuffer();
        var lengths = ArrayPool<int>.Shared.Rent(MaxDepth + 2);
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return false;
            Walk(ref reader, path, lengths, fields, found, holds);
            // What follows the object makes it none.
            return !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
        catch (InvalidOperationException)
        {
            // A text that is no UTF-8.
            return false;
        }
        finally
        {
            ArrayPool<int>.Shared.Return(lengths);
        }
    }

    /// <summary>A value that is neither list nor object.</summary>
    public static bool TryValue(ref Utf8JsonReader reader, out FilterValue value)
    {
        value = reader.TokenType switch
        {
            JsonTokenType.String => FilterValue.OfText(TextOf(ref reader)),
            JsonTokenType.Number => FilterValue.OfNumber(reader.ValueSpan),
            JsonTokenType.True => FilterValue.OfTruth(true),
            JsonTokenType.False => FilterValue.OfTruth(false),
            _ => FilterValue.OfNull,
        };
        return reader.TokenType is JsonTokenType.String or JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False or JsonTokenType.Null;
    }

    private static void Walk(ref Utf8JsonReader reader, PooledBuffer path, int[] lengths, FilterField[] fields, Span<bool> found, Span<bool> holds)
    {
        // The length of the path within each object that is open.
        var depth = 0;
        lengths[0] = 0;
        var current = 0;
        while (reader.Read())
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    Truncate(path, lengths[depth]);
                    if (path.Length > 0) path.Write("."u8);
                    path.Write(TextOf(ref reader));
                    current = path.Length;
                    break;
                case JsonTokenType.StartObject:
                    lengths[++depth] = current;
                    break;
                case JsonTokenType.EndObject:
                    if (depth == 0) return;
                    current = lengths[depth--];
                    Truncate(path, current);
                    break;
                case JsonTokenType.StartArray or JsonTokenType.EndArray:
                    Truncate(path, current);
                    break;
                default:
                    Truncate(path, current);
                    TryValue(ref reader, out var value);
                    for (var i = 0; i < fields.Length; i++)
                    {
                        if (!path.WrittenSpan.SequenceEqual(fields[i].Path)) continue;
                        found[i] = true;
                        holds[i] = holds[i] || fields[i].Matches(value);
                    }
                    break;
            }
        }
    }

    private static void Truncate(PooledBuffer path, int length)
    {
        if (path.Length > length) path.Truncate(length);
    }

    private static ReadOnlySpan<byte> TextOf(ref Utf8JsonReader reader) =>
        reader.ValueIsEscaped ? Encoding.UTF8.GetBytes(reader.GetString()!) : reader.ValueSpan;
}
