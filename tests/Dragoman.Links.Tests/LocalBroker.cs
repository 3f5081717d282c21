using System.Globalization;
using System.Net;
using System.Text.Json;
using Dragoman.Amqp;
using Dragoman.Broker;
using Dragoman.Broker.Links;
using Dragoman.Broker.Namespaces;
using Dragoman.Protocols;
using Dragoman.Storage;
using Dragoman.Storage.Platform;
using Dragoman.TestKit;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dragoman.Links.Tests;

/// <summary>A broker of this process with an AMQP listener and links, on a directory that it keeps over restarts.</summary>
internal sealed class LocalBroker : IAsyncDisposable
{
    private readonly Workspace _workspace = new();
    private readonly Dictionary<string, string> _shovels = [];
    private readonly int _port = FreePort.Next();
    private FrontEndServer _server = null!;

    public Broker.Broker Broker { get; private set; } = null!;

    public Links Links { get; private set; } = null!;

    /// <summary>Shovels that have done their work.</summary>
    public List<string> Completed { get; } = [];

    public string Uri => string.Create(CultureInfo.InvariantCulture, $"amqp://guest:guest@127.0.0.1:{_port}/%2F");

    public static async Task<LocalBroker> StartAsync()
    {
        var broker = new LocalBroker();
        await broker.OpenAsync();
        return broker;
    }

    public async Task ShovelAsync(string name, object definition)
    {
        var text = JsonSerializer.Serialize(definition);
        _shovels[name] = text;
        await PutAsync(name, text);
    }

    public Shovel Shovel(string name) => Links.Shovels.Single(s => s.Name == name);

    public async Task RestartAsync()
    {
        await CloseAsync();
        await OpenAsync();
        foreach (var (name, text) in _shovels) await PutAsync(name, text);
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        _workspace.Dispose();
    }

    private async Task PutAsync(string name, string text)
    {
        using var value = JsonDocument.Parse(text);
        Assert.Empty(Links.Check("shovel", name, value.RootElement));
        await Links.PutShovelAsync(NamespaceName.Default, name, value.RootElement);
    }

    private async Task OpenAsync()
    {
        Broker = await Dragoman.Broker.Broker.StartAsync(
            new BrokerOptions { Store = new StoreOptions { Directory = _workspace.Data, JournalFileBytes = 8 << 20, HeadroomBytes = 0 } },
            new OsFileSystem(), TimeProvider.System, ThreadPoolScheduler.Instance, new Random());
        var amqp = new AmqpFrontEnd(Broker, new AmqpOptions { NetworkTime = TimeProvider.System }, NullLoggerFactory.Instance);
        _server = await FrontEndServer.StartAsync([new FrontEndBinding(amqp, IPAddress.Loopback, _port)], NullLoggerFactory.Instance);
        Links = new Links(Broker, NullLoggerFactory.Instance)
        {
            OnCompleted = (_, name) =>
            {
                lock (Completed) Completed.Add(name);
                return Task.CompletedTask;
            },
        };
    }

    private async Task CloseAsync()
    {
        await Links.DisposeAsync();
        await _server.DisposeAsync();
        await Broker.DisposeAsync();
    }
}
