using System.Buffers;
using CsCheck;
using Dragoman.Amqp.Messages;
using Dragoman.Amqp.Wire;
using Dragoman.Storage.Records;

namespace Dragoman.Amqp.Tests.Wire;

/// <summary>A message's properties, through record headers and back.</summary>
public sealed class PropertiesTests
{
    [Fact]
    public void All_properties_come_back_as_they_were()
    {
        var encoded = Everything(FieldTables.OfEveryType());
        using var delivered = Deliver(encoded, "ex", "key");
        Assert.Equal("ex"u8, delivered.Exchange);
        Assert.Equal("key"u8, delivered.RoutingKey);
        Assert.Equal(Convert.ToHexString(encoded), Convert.ToHexString(delivered.Encoded));
    }

    [Fact]
    public void Headers_tables_come_back_as_they_were()
    {
        FieldTables.Gen.Sample(table =>
        {
            var encoded = OnlyHeaders(table);
            using var delivered = Deliver(encoded, "", "q");
            Assert.Equal(table, HeadersOf(delivered));
        }, iter: 500);
    }

    [Theory]
    [InlineData("type")]
    [InlineData("routing-key")]
    [InlineData("header-types")]
    [InlineData("header:x")]
    [InlineData("deaths")]
    [InlineData("a=b&c%d")]
    public void A_header_with_a_name_of_ours_stays_a_header(string name)
    {
        var table = new FieldTable(KeyValuePair.Create(name, FieldValue.OfInt32(7)), KeyValuePair.Create("other", FieldValue.OfText("x")));
        using var delivered = Deliver(OnlyHeaders(table), "e", "k");
        Assert.Equal(table, HeadersOf(delivered));
        Assert.Equal("k"u8, delivered.RoutingKey);
    }

    [Fact]
    public void Others_read_numbers_as_text_and_blind_copies_not_at_all()
    {
        var table = new FieldTable(
            KeyValuePair.Create("n", FieldValue.OfInt32(-5)),
            KeyValuePair.Create("yes", FieldValue.OfBoolean(true)),
            KeyValuePair.Create("BCC", FieldValue.OfArray([FieldValue.OfText("secret")])));
        using var published = Publish(OnlyHeaders(table), "e", "k");
        Assert.True(published.Headers.TryGetLast("n"u8, out var n));
        Assert.Equal("-5"u8, n.Span);
        Assert.True(published.Headers.TryGetLast("yes"u8, out var yes));
        Assert.Equal("true"u8, yes.Span);
        Assert.False(published.Headers.TryGetLast("BCC"u8, out _));
    }

    [Fact]
    public void Headers_of_other_protocols_are_strings_and_their_key_routes()
    {
        using var writer = new RecordHeadersWriter();
        writer.Add("content-type"u8, "text/plain"u8);
        writer.Add("free"u8, "value"u8);
        writer.Add("raw"u8, (ReadOnlySpan<byte>)[0xFF, 0xFE]);
        writer.Add("none"u8, default);
        using var delivered = new DeliveredProperties();
        delivered.Read(writer.Headers, "the-key"u8, 1_700_000_000_999, "orders"u8);
        Assert.Equal("orders"u8, delivered.Exchange);
        Assert.Equal("the-key"u8, delivered.RoutingKey);
        var properties = AmqpProperties.Read(delivered.Encoded);
        Assert.Equal("text/plain"u8, properties.ContentType);
        Assert.Equal(1_700_000_000UL, properties.Timestamp);
        var headers = HeadersOf(delivered);
        Assert.Equal(FieldValue.OfText("value"), headers.Fields.Single(f => f.Key == "free").Value);
        Assert.Equal(FieldType.Bytes, headers.Fields.Single(f => f.Key == "raw").Value.Type);
        Assert.Equal(FieldType.Void, headers.Fields.Single(f => f.Key == "none").Value.Type);
    }

    [Fact]
    public void Messages_in_a_row_are_told_apart()
    {
        using var delivered = new DeliveredProperties();
        using var first = Publish(OnlyHeaders(new FieldTable(KeyValuePair.Create("n", FieldValue.OfInt32(1)))), "e", "k");
        using var second = Publish(OnlyHeaders(new FieldTable(KeyValuePair.Create("n", FieldValue.OfInt32(2)))), "e", "k");
        foreach (var (published, n) in new[] { (first, 1), (first, 1), (second, 2), (first, 1) })
        {
            delivered.Read(published.Headers, default, 0, default);
            Assert.Equal(n, HeadersOf(delivered).Fields[0].Value.Bits);
        }
        delivered.Read(first.Headers, default, 0, default, deliveries: 3);
        Assert.Equal(3, HeadersOf(delivered).Fields.Single(f => f.Key == "x-delivery-count").Value.Bits);
        delivered.Read(first.Headers, default, 0, default);
        Assert.Equal(1, HeadersOf(delivered).Count);
    }

    private static DeliveredProperties Deliver(byte[] encoded, string exchange, string routingKey)
    {
        using var published = Publish(encoded, exchange, routingKey);
        var delivered = new DeliveredProperties();
        delivered.Read(published.Headers, default, 0, default);
        return delivered;
    }

    private static PublishedHeaders Publish(byte[] encoded, string exchange, string routingKey)
    {
        var published = new PublishedHeaders();
        published.Write(System.Text.Encoding.UTF8.GetBytes(exchange), System.Text.Encoding.UTF8.GetBytes(routingKey), AmqpProperties.Read(encoded), withPriority: true);
        return published;
    }

    private static FieldTable HeadersOf(DeliveredProperties delivered) => new WireReader(AmqpProperties.Read(delivered.Encoded).Headers).Fields();

    private static byte[] OnlyHeaders(FieldTable table)
    {
        var buffer = new ArrayBufferWriter<byte>();
        new AmqpProperties { Flags = PropertyFlags.Headers, Headers = Fields(table) }.Write(new WireWriter(buffer));
        return buffer.WrittenSpan.ToArray();
    }

    private static byte[] Everything(FieldTable table)
    {
        var buffer = new ArrayBufferWriter<byte>();
        new AmqpProperties
        {
            Flags = (PropertyFlags)0xFFFC,
            ContentType = "text/plain"u8,
            ContentEncoding = "gzip"u8,
            Headers = Fields(table),
            DeliveryMode = 2,
            Priority = 7,
            CorrelationId = "c-1"u8,
            ReplyTo = "answers"u8,
            Expiration = "60000"u8,
            MessageId = "m-1"u8,
            Timestamp = 1_700_000_000,
            Type = "order"u8,
            UserId = "guest"u8,
            AppId = "app"u8,
            ClusterId = "cl"u8,
        }.Write(new WireWriter(buffer));
        return buffer.WrittenSpan.ToArray();
    }

    private static byte[] Fields(FieldTable table)
    {
        var buffer = new ArrayBufferWriter<byte>();
        new WireWriter(buffer).Fields(table);
        return buffer.WrittenSpan.ToArray();
    }
}
