using System.Net;
using Dragoman.Clients.Tests.Reporting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.StackExchangeRedis;
using Microsoft.Extensions.DependencyInjection;
using StackExchange.Redis;

namespace Dragoman.Clients.Tests.Clients;

/// <summary>SignalR's Redis backplane, as its package is.</summary>
internal sealed class SignalRBackplane : IForeignClient
{
    public static string Name => "Microsoft.AspNetCore.SignalR.StackExchangeRedis";

    public static Task<string> VersionAsync() => Task.FromResult(StackExchangeRedis.VersionOf(typeof(RedisHubLifetimeManager<>)));
}

/// <summary>A node of a SignalR application that shares its clients with others through Redis.</summary>
internal sealed class SignalRNode : IAsyncDisposable
{
    private readonly WebApplication _application;

    private SignalRNode(WebApplication application) => _application = application;

    /// <summary>Where clients connect.</summary>
    public Uri Hub => new(_application.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First() + "/chat");

    /// <summary>Sends from outside the hub.</summary>
    public IHubContext<ChatHub> Context => _application.Services.GetRequiredService<IHubContext<ChatHub>>();

    /// <summary>Starts a node.</summary>
    public static async Task<SignalRNode> StartAsync(int redis)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddRouting();
        builder.Services.AddSignalR(signalR => signalR.EnableDetailedErrors = true).AddStackExchangeRedis($"127.0.0.1:{redis}", options => options.Configuration.ChannelPrefix = RedisChannel.Literal("app"));
        var application = builder.Build();
        application.MapHub<ChatHub>("/chat");
        await application.StartAsync();
        return new SignalRNode(application);
    }

    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync();
        await _application.DisposeAsync();
    }
}

/// <summary>The application's hub.</summary>
internal sealed class ChatHub : Hub
{
    public Task Join(string group) => Groups.AddToGroupAsync(Context.ConnectionId, group);

    public Task Leave(string group) => Groups.RemoveFromGroupAsync(Context.ConnectionId, group);

    public Task ToGroup(string group, string text) => Clients.Group(group).SendAsync("heard", text);

    public Task ToAll(string text) => Clients.All.SendAsync("heard", text);

    public Task ToOne(string connection, string text) => Clients.Client(connection).SendAsync("heard", text);

    public Task<string> Ask(string connection, string question) => Clients.Client(connection).InvokeAsync<string>("asked", question, CancellationToken.None);
}
