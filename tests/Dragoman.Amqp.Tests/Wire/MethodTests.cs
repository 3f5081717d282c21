using System.Buffers;
using CsCheck;
using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;

namespace Dragoman.Amqp.Tests.Wire;

/// <summary>Methods on the wire, against bytes written out by hand from the specification, and against themselves.</summary>
public sealed class MethodTests
{
    [Fact]
    public void A_declaration_is_written_as_the_specification_says()
    {
        var method = new QueueDeclare
        {
            Ticket = 0,
            Queue = "q1",
            Durable = true,
            AutoDelete = true,
            Arguments = new FieldTable(KeyValuePair.Create("x", FieldValue.OfInt32(258))),
        };
        // class 50, method 10, ticket, short string, bits passive 0 durable 1 exclusive 0 auto-delete 1 no-wait 0, table.
        Assert.Equal("0032000A" + "0000" + "02" + "7131" + "0A" + "00000007" + "0178" + "49" + "00000102", Convert.ToHexString(Write(method)));
    }

    [Fact]
    public void Bits_share_octets_and_end_before_other_fields()
    {
        var method = MethodCodec.Read<BasicConsume>(Convert.FromHexString("0000" + "0171" + "0174" + "06" + "00000000"));
        Assert.Equal("q", method.Queue);
        Assert.Equal("t", method.ConsumerTag);
        Assert.False(method.NoLocal);
        Assert.True(method.NoAck);
        Assert.True(method.Exclusive);
        Assert.False(method.NoWait);
        Assert.Equal(0, method.Arguments.Count);
    }

    [Fact]
    public void What_is_written_reads_back()
    {
        Gen.Select(Gen.String[0, 40], Gen.String[0, 40], Gen.Bool, Gen.Bool, FieldTables.Gen).Sample((a, b, c, d, table) =>
        {
            var method = new BasicConsume { Queue = a, ConsumerTag = b, NoAck = c, Exclusive = d, Arguments = table };
            var read = MethodCodec.Read<BasicConsume>(Write(method).AsSpan(4));
            // Text that is no UTF-16 comes back with replacement characters, and so does everything cut at 255 bytes.
            if (IsPlain(a) && IsPlain(b))
            {
                Assert.Equal(a, read.Queue);
                Assert.Equal(b, read.ConsumerTag);
            }
            Assert.Equal((c, d), (read.NoAck, read.Exclusive));
            Assert.Equal(table, read.Arguments);
        }, iter: 500);
    }

    [Fact]
    public void Every_prefix_of_a_method_is_refused_and_none_throws_anything_else()
    {
        var whole = Write(new QueueDeclare { Queue = "some-queue", Arguments = FieldTables.OfEveryType() });
        for (var length = 4; length < whole.Length; length++)
            Assert.Throws<AmqpWireException>(() => MethodCodec.Read<QueueDeclare>(whole.AsSpan(4, length - 4)));
    }

    [Fact]
    public void Random_bytes_are_read_or_refused()
    {
        Gen.Byte.Array[0, 200].Sample(bytes =>
        {
            try
            {
                MethodCodec.Read<QueueDeclare>(bytes);
                MethodCodec.Read<ConnectionStartOk>(bytes);
            }
            catch (AmqpWireException)
            {
                // That is the other way.
            }
        }, iter: 2000);
    }

    private static bool IsPlain(string text) => !text.Any(char.IsSurrogate) && System.Text.Encoding.UTF8.GetByteCount(text) <= 255;

    private static byte[] Write<T>(T method)
        where T : struct, IMethod<T>
    {
        var buffer = new ArrayBufferWriter<byte>();
        MethodCodec.Write(buffer, method);
        return buffer.WrittenSpan.ToArray();
    }
}
