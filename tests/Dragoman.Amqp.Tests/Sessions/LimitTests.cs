using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Parameters;
using Dragoman.Broker.Security;

namespace Dragoman.Amqp.Tests.Sessions;

/// <summary>Limits of virtual hosts and users.</summary>
public sealed class LimitTests
{
    [Fact]
    public async Task A_virtual_host_has_no_more_connections_than_its_limit()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        await fixture.Broker.Limits.SetAsync(NamespaceName.Default, LimitNames.MaxConnections, 1);
        var first = await fixture.ConnectAsync();
        Assert.Equal("NOT_ALLOWED - access to vhost '/' refused for user 'guest': connection limit (1) is reached", await RefusedAsync(fixture));
        await first.AskAsync<ConnectionClose, ConnectionCloseOk>(0, new ConnectionClose { Code = 200 });
        await fixture.ConnectAsync();
        await fixture.Broker.Limits.SetAsync(NamespaceName.Default, LimitNames.MaxConnections, -1);
        await fixture.ConnectAsync();
    }

    [Fact]
    public async Task A_user_has_no_more_connections_and_channels_than_the_limit()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        await fixture.Broker.Accounts.CreateUserAsync(new User("guest", [User.AdministratorTag], []).WithPassword("guest", new byte[36]));
        await fixture.Broker.Limits.SetUserAsync("guest", LimitNames.MaxConnections, 2);
        await fixture.Broker.Limits.SetUserAsync("guest", LimitNames.MaxChannels, 2);
        var first = await fixture.ConnectAsync();
        var second = await fixture.ConnectAsync();
        Assert.Equal("NOT_ALLOWED - connection refused for user 'guest': user connection limit (2) is reached", await RefusedAsync(fixture));
        await first.ChannelAsync(1);
        await second.ChannelAsync(1);
        await first.AskAsync<ChannelClose, ChannelCloseOk>(1, new ChannelClose { Code = 200 });
        await second.ChannelAsync(2);
        await first.SendAsync(3, default(ChannelOpen));
        Assert.Equal("NOT_ALLOWED - number of channels opened for user 'guest' has reached the maximum allowed user limit of (2)", (await first.ReceiveAsync()).As<ConnectionClose>().Text);
    }

    [Fact]
    public async Task A_virtual_host_has_no_more_queues_than_its_limit()
    {
        await using var fixture = await AmqpFixture.StartAsync();
        await fixture.Broker.Limits.SetAsync(NamespaceName.Default, LimitNames.MaxQueues, 1);
        var client = await fixture.ConnectAsync();
        var channel = await client.ChannelAsync();
        await client.QueueAsync(channel, "a");
        await client.QueueAsync(channel, "a");
        var refusal = await client.RefusedAsync(channel, new QueueDeclare { Queue = "b" });
        Assert.Equal("PRECONDITION_FAILED - cannot declare queue 'b': queue limit in vhost '/' (1) is reached", refusal.Text);
    }

    /// <summary>Opens a connection that the server closes; why.</summary>
    private static async Task<string> RefusedAsync(AmqpFixture fixture)
    {
        var client = fixture.Raw();
        await client.SendRawAsync(ProtocolHeader.Bytes.ToArray());
        (await client.ReceiveAsync()).As<ConnectionStart>();
        await client.SendAsync(0, new ConnectionStartOk { ClientProperties = FieldTable.Empty, Mechanism = "PLAIN", Response = "\0guest\0guest"u8.ToArray(), Locale = "en_US" });
        var tune = (await client.ReceiveAsync()).As<ConnectionTune>();
        await client.SendAsync(0, new ConnectionTuneOk { ChannelMax = tune.ChannelMax, FrameMax = tune.FrameMax, Heartbeat = 0 });
        await client.SendAsync(0, new ConnectionOpen { VirtualHost = "/" });
        return (await client.ReceiveAsync()).As<ConnectionClose>().Text;
    }
}
