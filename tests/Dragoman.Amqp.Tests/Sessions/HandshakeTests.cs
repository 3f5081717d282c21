using System.Text;
using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;

namespace Dragoman.Amqp.Tests.Sessions;

/// <summary>How a connection comes to be, and how it ends.</summary>
public sealed class HandshakeTests
{
    [Fact]
    public async Task The_server_says_what_clients_decide_by()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        Assert.Equal((0, 9), (client.Start.VersionMajor, client.Start.VersionMinor));
        Assert.Equal("PLAIN AMQPLAIN", Encoding.ASCII.GetString(client.Start.Mechanisms));
        Assert.True(client.Start.ServerProperties.TryGet("product", out var product));
        Assert.Equal("RabbitMQ", product.Text);
        Assert.True(client.Start.ServerProperties.TryGet("capabilities", out var capabilities));
        foreach (var name in new[] { "publisher_confirms", "exchange_exchange_bindings", "basic.nack", "consumer_cancel_notify", "connection.blocked", "consumer_priorities", "authentication_failure_close", "per_consumer_qos", "direct_reply_to" })
        {
            Assert.True(capabilities.Table.TryGet(name, out var value));
            Assert.Equal(FieldValue.OfBoolean(true), value);
        }
        Assert.Equal((2047, 131072u, 60), (client.Tune.ChannelMax, client.Tune.FrameMax, client.Tune.Heartbeat));
    }

    [Theory]
    [InlineData("414D515000010000")] // AMQP 1.0
    [InlineData("414D515003010000")] // AMQP 1.0 with SASL
    [InlineData("414D515000000801")] // 0-8
    [InlineData("474554202F204854")] // GET / HT
    public async Task Another_protocol_is_answered_with_the_header_that_is_spoken(string header)
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = fixture.Raw();
        await client.SendRawAsync(Convert.FromHexString(header));
        Assert.Equal("414D515000000901", Convert.ToHexString(await client.RestAsync()));
    }

    [Fact]
    public async Task Amqplain_logs_in()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = fixture.Raw();
        await client.SendRawAsync(ProtocolHeader.Bytes.ToArray());
        await client.ReceiveAsync();
        var response = new System.Buffers.ArrayBufferWriter<byte>();
        new WireWriter(response).Fields(new FieldTable(KeyValuePair.Create("LOGIN", FieldValue.OfText("guest")), KeyValuePair.Create("PASSWORD", FieldValue.OfText("guest"))));
        await client.SendAsync(0, new ConnectionStartOk { Mechanism = "AMQPLAIN", Response = response.WrittenSpan.ToArray(), Locale = "en_US" });
        (await client.ReceiveAsync()).As<ConnectionTune>();
    }

    [Fact]
    public async Task Frames_of_4096_bytes_carry_larger_messages()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync(frameMax: 4096);
        var channel = await client.ChannelAsync(confirms: true);
        await client.QueueAsync(channel, "q");
        var body = new byte[100_000];
        new Random(7).NextBytes(body);
        await client.PublishAsync(channel, "", "q", body);
        (await client.ReceiveAsync()).As<BasicAck>();
        await client.SendAsync(channel, new BasicGet { Queue = "q", NoAck = true });
        Assert.Equal(body, (await client.ReceiveAsync()).Body);
    }

    [Theory]
    [InlineData(2048u, 0, "negotiated frame_max = 2048 is lower than the minimum allowed value (4096)")]
    [InlineData(200000u, 0, "negotiated frame_max = 200000 is higher than the maximum allowed value (131072)")]
    [InlineData(0u, 3000, "negotiated channel_max = 3000 is higher than the maximum allowed value (2047)")]
    public async Task Limits_only_go_down(uint frameMax, int channelMax, string text)
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = fixture.Raw();
        await client.SendRawAsync(ProtocolHeader.Bytes.ToArray());
        await client.ReceiveAsync();
        await client.SendAsync(0, new ConnectionStartOk { Mechanism = "PLAIN", Response = "\0guest\0guest"u8.ToArray(), Locale = "en_US" });
        await client.ReceiveAsync();
        await client.SendAsync(0, new ConnectionTuneOk { FrameMax = frameMax, ChannelMax = (ushort)channelMax });
        var close = (await client.ReceiveAsync()).As<ConnectionClose>();
        Assert.Equal((530, $"NOT_ALLOWED - {text}"), (close.Code, close.Text));
        await client.SendAsync(0, default(ConnectionCloseOk));
        await client.Ended;
    }

    [Fact]
    public async Task A_virtual_host_has_to_be_there()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = fixture.Raw();
        await client.SendRawAsync(ProtocolHeader.Bytes.ToArray());
        await client.ReceiveAsync();
        await client.SendAsync(0, new ConnectionStartOk { Mechanism = "PLAIN", Response = "\0guest\0guest"u8.ToArray(), Locale = "en_US" });
        await client.ReceiveAsync();
        await client.SendAsync(0, new ConnectionTuneOk { FrameMax = 131072 });
        await client.SendAsync(0, new ConnectionOpen { VirtualHost = "nowhere" });
        var close = (await client.ReceiveAsync()).As<ConnectionClose>();
        Assert.Equal((530, "NOT_ALLOWED - vhost nowhere not found"), (close.Code, close.Text));
    }

    [Fact]
    public async Task A_frame_larger_than_agreed_ends_the_connection_with_its_reason()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync(frameMax: 4096);
        var frame = new byte[5000];
        new FrameHeader(FrameType.Method, 1, 4992).Write(frame);
        await client.SendRawAsync(frame);
        Assert.Equal(501, (await client.ReceiveAsync()).As<ConnectionClose>().Code);
    }

    [Fact]
    public async Task A_frame_without_its_end_mark_ends_the_connection()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        await client.SendRawAsync([8, 0, 0, 0, 0, 0, 0, 0]);
        Assert.Equal(501, (await client.ReceiveAsync()).As<ConnectionClose>().Code);
    }

    [Fact]
    public async Task Channels_that_are_not_open_and_channels_opened_twice_end_the_connection()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        await client.SendAsync(3, new QueueDeclare { Queue = "q" });
        var close = (await client.ReceiveAsync()).As<ConnectionClose>();
        Assert.Equal((504, "CHANNEL_ERROR - expected 'channel.open'"), (close.Code, close.Text));
        var other = await fixture.ConnectAsync();
        await other.ChannelAsync();
        await other.SendAsync(1, default(ChannelOpen));
        Assert.Equal("CHANNEL_ERROR - second 'channel.open' seen", (await other.ReceiveAsync()).As<ConnectionClose>().Text);
    }

    [Fact]
    public async Task A_channel_number_can_be_used_again_once_it_is_closed()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        for (var i = 0; i < 3; i++)
        {
            await client.ChannelAsync();
            await client.AskAsync<ChannelClose, ChannelCloseOk>(1, new ChannelClose { Code = 200, Text = "bye" });
        }
    }

    [Fact]
    public async Task Closing_is_answered()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        await client.AskAsync<ConnectionClose, ConnectionCloseOk>(0, new ConnectionClose { Code = 200, Text = "bye" });
        // Some clients send on what they had begun to, and close the socket then.
        await client.PublishAsync(1, "", "q", new byte[100_000]);
        await client.DisposeAsync();
        await client.Ended;
    }

    [Fact]
    public async Task A_server_that_stops_says_so()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        var client = await fixture.ConnectAsync();
        client.Stop();
        var close = (await client.ReceiveAsync()).As<ConnectionClose>();
        Assert.Equal((320, "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'"), (close.Code, close.Text));
        await client.SendAsync(0, default(ConnectionCloseOk));
        await client.Ended;
    }

    [Fact]
    public async Task A_sign_of_life_comes_after_each_half_of_the_time_without_anything_else()
    {
        await using var fixture = await AmqpFixture.StartAsync(withClock: true);
        var client = await fixture.ConnectAsync(heartbeat: 4);
        // In the first half there was the handshake.
        for (var i = 0; i < 4; i++)
        {
            for (var second = 0; second < 2; second++) fixture.Clock!.Advance(TimeSpan.FromSeconds(1));
            if (i > 0) Assert.Equal(FrameType.Heartbeat, (await client.AnyFrameAsync()).Header.Type);
        }
    }

    [Fact]
    public async Task Signs_of_life_are_sent_and_expected()
    {
        await using var fixture = await AmqpFixture.StartAsync(withClock: true);
        var client = await fixture.ConnectAsync(heartbeat: 4);
        fixture.Clock!.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(FrameType.Heartbeat, (await client.AnyFrameAsync()).Header.Type);
        for (var i = 0; i < 12; i++) fixture.Clock.Advance(TimeSpan.FromSeconds(1));
        await client.Ended.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_client_that_does_not_log_in_is_given_up()
    {
        await using var fixture = await AmqpFixture.StartAsync(withClock: true);
        var client = fixture.Raw();
        await client.SendRawAsync(ProtocolHeader.Bytes.ToArray());
        await client.ReceiveAsync();
        for (var i = 0; i < 12; i++) fixture.Clock!.Advance(TimeSpan.FromSeconds(1));
        await client.Ended.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
    }
}
