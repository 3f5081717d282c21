using System.Globalization;
using System.Net;
using System.Text.Json;
using Dragoman.Amqp;
using Dragoman.Broker;
using Dragoman.Broker.Links;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Parameters;
using Dragoman.Protocols;
using Dragoman.Storage;
using Dragoman.Storage.Platform;
using Dragoman.TestKit;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dragoman.Links.Tests;

/// <summary>A broker of this process with an AMQP listener and links, on a directory that it keeps over restarts.</summary>
internal sealed class LocalBroker : IAsyncDisposable
{
    private static int s_nodes;

    private readonly Workspace _workspace = new();
    private readonly int _port = FreePort.Next();
    private readonly int _nodeId = Interlocked.Increment(ref s_nodes);
    private FrontEndServer _server = null!;

    public Broker.Broker Broker { get; private set; } = null!;

    public Links Links { get; private set; } = null!;

    public string Uri => string.Create(CultureInfo.InvariantCulture, $"amqp://guest:guest@127.0.0.1:{_port}/%2F");

    public static async Task<LocalBroker> StartAsync()
    {
        var broker = new LocalBroker();
        await broker.OpenAsync();
        return broker;
    }

    public Task ShovelAsync(string name, object definition) => SetAsync("shovel", name, definition);

    /// <summary>Sets a runtime parameter.</summary>
    public async Task SetAsync(string component, string name, object definition)
    {
        var answer = await Broker.Parameters.SetAsync(ParameterKey.Of(NamespaceName.Default, component, name), JsonSerializer.SerializeToElement(definition));
        Assert.Equal((ParameterStatus.Ok, null), (answer.Status, answer.Message));
    }

    /// <summary>Has a policy federate what has a name.</summary>
    public async Task FederateAsync(string applyTo, string name, string upstream)
    {
        var policy = new Dictionary<string, object> { ["pattern"] = $"^{name}$", ["apply-to"] = applyTo, ["definition"] = new Dictionary<string, object> { ["federation-upstream"] = upstream } };
        var answer = await Broker.Policies.SetAsync(NamespaceName.Default, false, $"federate {applyTo}", JsonSerializer.SerializeToElement(policy));
        Assert.Equal((ParameterStatus.Ok, null), (answer.Status, answer.Message));
    }

    public Shovel Shovel(string name) => Links.Shovels.FirstOrDefault(s => s.Name == name) ?? new Shovel(NamespaceName.Default, name, new LinkEnd("", null, null, null), new LinkEnd("", null, null, null), new LinkStatus { State = LinkState.Starting, Since = default });

    public async Task RestartAsync()
    {
        await CloseAsync();
        await OpenAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        _workspace.Dispose();
    }

    private async Task OpenAsync()
    {
        Broker = await Dragoman.Broker.Broker.StartAsync(
            new BrokerOptions { NodeId = _nodeId, Store = new StoreOptions { Directory = _workspace.Data, JournalFileBytes = 8 << 20, HeadroomBytes = 0 } },
            new OsFileSystem(), TimeProvider.System, ThreadPoolScheduler.Instance, new Random());
        var amqp = new AmqpFrontEnd(Broker, new AmqpOptions { NetworkTime = TimeProvider.System }, NullLoggerFactory.Instance);
        _server = await FrontEndServer.StartAsync([new FrontEndBinding(amqp, IPAddress.Loopback, _port)], NullLoggerFactory.Instance);
        Links = new Links(Broker, NullLoggerFactory.Instance);
        Links.Start();
    }

    private async Task CloseAsync()
    {
        await Links.DisposeAsync();
        await _server.DisposeAsync();
        await Broker.DisposeAsync();
    }
}
