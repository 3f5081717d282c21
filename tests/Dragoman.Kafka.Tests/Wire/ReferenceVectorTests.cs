using System.Buffers;
using System.Collections;
using System.Reflection;
using System.Text.Json;
using Dragoman.Kafka.Wire;

namespace Dragoman.Kafka.Tests.Wire;

/// <summary>
/// Bytes that other encoders made: one that walks Kafka's own message definitions, and kafka-python. The scripts that
/// made them lie beside the files.
/// </summary>
public sealed class ReferenceVectorTests
{
    /// <summary>Where kafka-python 2.0.2 departs from Kafka's definitions, which the other vectors hold us to.</summary>
    private static readonly HashSet<string> s_wrongInKafkaPython =
    [
        "ProduceResponse_v8", // the new fields stand outside the partition
        "OffsetRequest_v4", // the leader epoch has 64 bits
        "OffsetRequest_v5",
        "DescribeAclsRequest_v2", // version 2 is flexible
        "DescribeAclsResponse_v2",
        "GroupCoordinatorResponse_v1", // no throttle time
        "DescribeGroupsResponse_v3", // the authorised operations stand outside the group
    ];

    [Fact]
    public void Messages_encoded_from_Kafkas_definitions_decode_field_by_field_and_encode_to_the_same_bytes()
    {
        int count = 0;
        foreach (JsonElement vector in SpecVectors())
        {
            MessageCodec codec = MessageCodec.Named(vector.GetProperty("message").GetString()!);
            short version = vector.GetProperty("version").GetInt16();
            byte[] bytes = vector.GetProperty("bytes").GetBytesFromBase64();
            object message = codec.Read(new ReadOnlySequence<byte>(bytes), version);
            AssertNamed(vector.GetProperty("values"), message, $"{codec.Type.Name} v{version}");
            Assert.Equal(bytes, codec.Write(message, version));
            count++;
        }

        Assert.True(count >= 808, $"only {count} messages were compared");
    }

    [Fact]
    public void Messages_encoded_by_kafka_python_decode_field_by_field_and_encode_to_the_same_bytes()
    {
        var seen = new HashSet<(ApiKey, short, bool)>();
        foreach (JsonElement vector in Vectors("kafka-python-vectors.jsonl"))
        {
            var key = (ApiKey)vector.GetProperty("apiKey").GetInt16();
            short version = vector.GetProperty("version").GetInt16();
            bool request = vector.GetProperty("request").GetBoolean();
            MessageCodec? codec = MessageCodec.All.SingleOrDefault(c => c.ApiKey == key && c.IsRequest == request);
            if (codec is null || version < codec.Min || version > codec.Max)
                continue;

            if (s_wrongInKafkaPython.Contains(vector.GetProperty("name").GetString()!))
                continue;
            byte[] bytes = vector.GetProperty("bytes").GetBytesFromBase64();
            string path = $"{codec.Type.Name} v{version}";
            object message = codec.Read(new ReadOnlySequence<byte>(bytes), version);
            AssertPositional(vector.GetProperty("values"), message, version, path);
            Assert.Equal(bytes, codec.Write(message, version));
            seen.Add((key, version, request));
            if (request)
                AssertHeader(vector, key, version);
        }

        Assert.True(seen.Count > 120, $"only {seen.Count} messages were compared");
    }

    private static void AssertHeader(JsonElement vector, ApiKey key, short version)
    {
        var reader = new KafkaReader(new ReadOnlySequence<byte>(vector.GetProperty("header").GetBytesFromBase64()));
        Assert.True(RequestHeader.TryRead(ref reader, out RequestHeader header));
        Assert.Equal(new RequestHeader(key, version, vector.GetProperty("correlationId").GetInt32(), "kafka-python-é"), header);
        Assert.Equal(0, reader.Remaining);
    }

    private static void AssertNamed(JsonElement expected, object? actual, string path)
    {
        if (expected.ValueKind == JsonValueKind.Object)
        {
            Assert.NotNull(actual);
            foreach (JsonProperty field in expected.EnumerateObject())
            {
                PropertyInfo? property = actual.GetType().GetProperty(field.Name);
                Assert.True(property is not null, $"{path} has no {field.Name}");
                AssertNamed(field.Value, property.GetValue(actual), $"{path}.{field.Name}");
            }
        }
        else if (expected.ValueKind == JsonValueKind.Array)
        {
            var list = (IList)actual!;
            Assert.Equal(expected.GetArrayLength(), list.Count);
            for (int i = 0; i < list.Count; i++)
                AssertNamed(expected[i], list[i], $"{path}[{i}]");
        }
        else
        {
            AssertScalar(expected, actual, path);
        }
    }

    private static void AssertPositional(JsonElement expected, object? actual, short version, string path)
    {
        if (expected.ValueKind != JsonValueKind.Array)
        {
            // kafka-python has the bare value where Kafka has a structure of one field.
            AssertScalar(expected, actual is not null and not IList && Parts(actual, version) is [object lone] ? lone : actual, path);
            return;
        }

        object?[] parts = actual is IList list
            ? [.. list.Cast<object?>()]
            : Parts(actual!, version);
        Assert.True(expected.GetArrayLength() == parts.Length, $"{path} has {parts.Length} values: {expected.GetRawText()}");
        for (int i = 0; i < parts.Length; i++)
            AssertPositional(expected[i], parts[i], version, $"{path}[{i}]");
    }

    private static object?[] Parts(object structure, short version) => [.. MessageFiller.Fields(structure.GetType())
        .Where(f => f.Field.Tag < 0 && MessageFiller.Includes(f.Field.Versions, version))
        .Select(f => f.Property.GetValue(structure))];

    private static void AssertScalar(JsonElement expected, object? actual, string path)
    {
        bool same = expected.ValueKind switch
        {
            JsonValueKind.Null => actual is null or Records { IsNull: true },
            JsonValueKind.True => actual is true,
            JsonValueKind.False => actual is false,
            JsonValueKind.Number when actual is double real => BitConverter.DoubleToInt64Bits(expected.GetDouble()) == BitConverter.DoubleToInt64Bits(real),
            JsonValueKind.Number => actual is not null && expected.GetInt64() == Convert.ToInt64(actual),
            _ => actual switch
            {
                byte[] bytes => bytes.AsSpan().SequenceEqual(expected.GetBytesFromBase64()),
                Records records => records.Bytes.ToArray().AsSpan().SequenceEqual(expected.GetBytesFromBase64()),
                Guid id => id == Guid.Parse(expected.GetString()!),
                _ => expected.GetString() == (string?)actual,
            },
        };
        Assert.True(same, $"{path}: {expected.GetRawText()} was decoded as {actual ?? "null"}");
    }

    /// <summary>The vectors of all files of that name; each was made by one run of the script.</summary>
    private static IEnumerable<JsonElement> SpecVectors() => typeof(ReferenceVectorTests).Assembly.GetManifestResourceNames()
        .Where(name => name.StartsWith("spec-vectors", StringComparison.Ordinal)).Order(StringComparer.Ordinal).SelectMany(Vectors);

    private static IEnumerable<JsonElement> Vectors(string file)
    {
        using Stream stream = typeof(ReferenceVectorTests).Assembly.GetManifestResourceStream(file)!;
        using var reader = new StreamReader(stream);
        while (reader.ReadLine() is { } line)
        {
            using JsonDocument document = JsonDocument.Parse(line);
            yield return document.RootElement.Clone();
        }
    }
}
