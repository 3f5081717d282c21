using Dragoman.TestKit;

namespace Dragoman.Clients.Tests;

/// <summary>A broker that the tests of one class share, each with topics and queues of its own.</summary>
public sealed class SharedBroker : IAsyncLifetime
{
    /// <summary>The broker.</summary>
    public DragomanServer Server { get; private set; } = null!;

    /// <summary>Host and port of the Kafka listener.</summary>
    public string Kafka => Server.Address("kafka");

    /// <summary>A name that no other test uses.</summary>
    public static string Unique(string prefix) => $"{prefix}-{Guid.NewGuid().ToString("N")[..8]}";

    public async ValueTask InitializeAsync() => Server = await DragomanServer.StartAsync();

    public async ValueTask DisposeAsync()
    {
        if (Server is not null) await Server.DisposeAsync();
    }
}
