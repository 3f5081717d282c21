using System.Threading.Channels;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;

namespace Dragoman.Clients.Tests.Redis;

[Uses<SignalRBackplane>]
public sealed class SignalRTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact, Rows("D1", "D3", "D7")]
    public async Task Two_nodes_share_their_clients_and_groups()
    {
        await using var first = await SignalRNode.StartAsync(broker.Server.Port("redis"));
        await using var second = await SignalRNode.StartAsync(broker.Server.Port("redis"));
        await using var one = await User.ConnectAsync(first);
        await using var two = await User.ConnectAsync(second);
        await one.Connection.InvokeAsync("Join", "g");
        await two.Connection.InvokeAsync("Join", "g");
        await one.Connection.InvokeAsync("ToGroup", "g", "group");
        Assert.Equal(("group", "group"), (await one.NextAsync(), await two.NextAsync()));
        await two.Connection.InvokeAsync("ToAll", "all");
        Assert.Equal(("all", "all"), (await one.NextAsync(), await two.NextAsync()));
        await one.Connection.InvokeAsync("ToOne", two.Connection.ConnectionId, "you");
        Assert.Equal("you", await two.NextAsync());
        Assert.Equal("well!", await one.Connection.InvokeAsync<string>("Ask", two.Connection.ConnectionId, "well"));
        await two.Connection.InvokeAsync("Leave", "g");
        await second.Context.Clients.Group("g").SendAsync("heard", "who is left");
        Assert.Equal("who is left", await one.NextAsync());
        await first.Context.Clients.All.SendAsync("heard", "end");
        // Had it heard what the group it has left was told, that would have come first.
        Assert.Equal("end", await two.NextAsync());
    }

    private sealed class User : IAsyncDisposable
    {
        private readonly Channel<string> _heard = Channel.CreateUnbounded<string>();

        private User(HubConnection connection)
        {
            Connection = connection;
            connection.On<string>("heard", text => _heard.Writer.TryWrite(text));
            connection.On<string, string>("asked", question => question + "!");
        }

        public HubConnection Connection { get; }

        public static async Task<User> ConnectAsync(SignalRNode node)
        {
            var user = new User(new HubConnectionBuilder().WithUrl(node.Hub).Build());
            await user.Connection.StartAsync();
            return user;
        }

        public async Task<string> NextAsync()
        {
            using var limit = new CancellationTokenSource(Patience);
            return await _heard.Reader.ReadAsync(limit.Token);
        }

        public ValueTask DisposeAsync() => Connection.DisposeAsync();
    }
}
