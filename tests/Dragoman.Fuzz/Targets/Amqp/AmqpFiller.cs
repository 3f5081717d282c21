using System.Text;
using Dragoman.Amqp.Wire;

namespace Dragoman.Fuzz.Targets.Amqp;

/// <summary>Fills the fields of methods: with names that exist and small numbers as often as not.</summary>
internal readonly struct AmqpFiller(Random random) : IFieldVisitor
{
    private static readonly string[] s_names =
    [
        "", "q0", "q1", "q2", "e0", "e1", "amq.direct", "amq.topic", "amq.headers", "amq.rabbitmq.reply-to", "direct", "fanout", "topic", "headers", "a.b", "#", "tag", "/", "no such name", "ä",
    ];

    private static readonly string[] s_keys =
    [
        "x-message-ttl", "x-expires", "x-max-length", "x-max-priority", "x-overflow", "x-queue-type", "x-dead-letter-exchange", "x-match", "x-stream-offset", "x-single-active-consumer", "alternate-exchange", "CC", "BCC", "k",
    ];

    public void Octet(ref byte value) => value = (byte)random.Next(256);

    public void Short(ref ushort value) => value = (ushort)(random.Next(4) == 0 ? random.Next(65536) : random.Next(4));

    public void Long(ref uint value) => value = random.Next(4) == 0 ? (uint)random.NextInt64(1L << 32) : (uint)random.Next(10);

    public void LongLong(ref ulong value) => value = random.Next(4) == 0 ? (ulong)random.NextInt64() : (ulong)random.Next(10);

    public void ShortString(ref string value) => value = Name();

    public void LongString(ref byte[] value) => value = random.Next(2) == 0 ? "\0guest\0guest"u8.ToArray() : Encoding.UTF8.GetBytes(Name());

    public void Table(ref FieldTable value) => value = Table(random.Next(3));

    public void Bit(ref bool value) => value = random.Next(4) == 0;

    public string Name() => s_names[random.Next(s_names.Length)];

    /// <summary>A table with nested ones down to a depth.</summary>
    public FieldTable Table(int depth)
    {
        var fields = new List<KeyValuePair<string, FieldValue>>();
        for (var n = random.Next(4); n > 0; n--) fields.Add(new(s_keys[random.Next(s_keys.Length)], Value(depth)));
        return new FieldTable(fields);
    }

    private FieldValue Value(int depth) => random.Next(depth > 0 ? 12 : 10) switch
    {
        0 => FieldValue.OfBoolean(random.Next(2) == 0),
        1 => FieldValue.OfInt64(random.Next(3) == 0 ? random.NextInt64() : random.Next(100)),
        2 => FieldValue.OfDouble(random.NextDouble()),
        3 => FieldValue.OfTimestamp(random.Next()),
        4 => FieldValue.OfBytes(FieldType.Bytes, new byte[random.Next(9)]),
        5 => FieldValue.OfBits(FieldType.Void, 0),
        6 or 7 => FieldValue.OfInt32(random.Next(100)),
        8 or 9 => FieldValue.OfText(Name()),
        10 => FieldValue.OfTable(Table(depth - 1)),
        _ => FieldValue.OfArray([.. Enumerable.Repeat(Value(depth - 1), random.Next(4))]),
    };
}
