using System.Buffers;
using System.Collections;
using System.Reflection;
using Dragoman.Kafka.Wire;

namespace Dragoman.Kafka.Tests.Wire;

/// <summary>
/// Fills a message with random values for the fields that a version has, and compares messages. Works from the
/// declarations alone and knows nothing of the generated code.
/// </summary>
internal sealed class MessageFiller(int seed, short version)
{
    private readonly Random _random = new(seed);

    public object Fill(Type type)
    {
        object message = Activator.CreateInstance(type)!;
        foreach ((PropertyInfo property, FieldAttribute field) in Fields(type))
        {
            if (!Includes(field.Versions, version))
                continue;
            bool nullable = field.Nullable is not null && Includes(field.Nullable, version);
            if (field.Tag >= 0 && _random.Next(2) == 0)
                continue;
            property.SetValue(message, nullable && _random.Next(3) == 0
                ? null
                : Value(property.PropertyType));
        }

        return message;
    }

    public static IEnumerable<(PropertyInfo Property, FieldAttribute Field)> Fields(Type type) => type
        .GetProperties()
        .Where(property => property.GetCustomAttribute<FieldAttribute>() is not null)
        .OrderBy(property => property.MetadataToken)
        .Select(property => (property, property.GetCustomAttribute<FieldAttribute>()!));

    public static bool Includes(string range, int version)
    {
        if (range.EndsWith('+'))
            return version >= int.Parse(range[..^1]);
        string[] ends = range.Split('-');
        return version >= int.Parse(ends[0]) && version <= int.Parse(ends[^1]);
    }

    public static void AssertSame(object? expected, object? actual, string path)
    {
        if (expected is null || actual is null)
        {
            Assert.True(expected is null && actual is null, $"{path}: {expected ?? "null"} became {actual ?? "null"}");
        }
        else if (expected is Records records)
        {
            var other = (Records)actual;
            Assert.Equal(records.IsNull, other.IsNull);
            Assert.Equal(records.Bytes.ToArray(), other.Bytes.ToArray());
        }
        else if (expected is IList list)
        {
            var other = (IList)actual;
            Assert.Equal(list.Count, other.Count);
            for (int i = 0; i < list.Count; i++)
                AssertSame(list[i], other[i], $"{path}[{i}]");
        }
        else if (Fields(expected.GetType()).Any())
        {
            foreach ((PropertyInfo property, _) in Fields(expected.GetType()))
                AssertSame(property.GetValue(expected), property.GetValue(actual), $"{path}.{property.Name}");
        }
        else
        {
            Assert.True(expected.Equals(actual), $"{path}: {expected} became {actual}");
        }
    }

    private object? Value(Type type)
    {
        type = Nullable.GetUnderlyingType(type) ?? type;
        if (type.IsEnum)
            return Enum.ToObject(type, Value(Enum.GetUnderlyingType(type))!);
        if (type == typeof(string))
            return new string([.. Enumerable.Range(0, Length()).Select(_ => "ab-zé漢\uFFFD"[_random.Next(7)])]);
        if (type == typeof(byte[]))
            return Bytes();
        if (type == typeof(Records))
            return _random.Next(4) == 0 ? default(Records) : new Records(new ReadOnlySequence<byte>(Bytes()));
        if (type == typeof(Guid))
            return new Guid([.. Enumerable.Range(0, 16).Select(_ => (byte)_random.Next(256))]);
        if (type == typeof(bool))
            return _random.Next(2) == 0;
        long number = _random.Next(4) == 0 ? -1 : _random.NextInt64(long.MinValue, long.MaxValue);
        if (type == typeof(sbyte))
            return unchecked((sbyte)number);
        if (type == typeof(short))
            return unchecked((short)number);
        if (type == typeof(int))
            return unchecked((int)number);
        if (type == typeof(long))
            return number;
        if (!type.IsGenericType)
            return Fill(type);

        var list = (IList)Activator.CreateInstance(type)!;
        for (int left = _random.Next(4); left > 0; left--)
            list.Add(Value(type.GetGenericArguments()[0]));
        return list;
    }

    private byte[] Bytes()
    {
        byte[] bytes = new byte[Length()];
        _random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>Mostly short; sometimes on either side of where a compact length takes a second byte.</summary>
    private int Length() => _random.Next(8) == 0 ? _random.Next(120, 140) : _random.Next(6);
}
