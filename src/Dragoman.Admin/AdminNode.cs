using System.Reflection;
using Dragoman.Admin.Statistics;
using Dragoman.Broker.Links;
using Dragoman.Protocols.Authentication;
using Dragoman.Protocols.Connections;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Admin;

/// <summary>A listener of the node.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Address">Host and port.</param>
public sealed record AdminListener(string Name, string Address);

/// <summary>The node that the admin API tells about.</summary>
/// <param name="broker">Its broker.</param>
public sealed class AdminNode(Broker.Broker broker) : IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private volatile bool _isReady;
    private Sampler? _sampler;
    private NodeFigures? _figures;

    /// <summary>The broker.</summary>
    public Broker.Broker Broker { get; } = broker;

    /// <summary>Says who a client is.</summary>
    public Authenticator Authenticator { get; init; } = new(broker.Accounts);

    /// <summary>The connections of all front ends.</summary>
    public ConnectionRegistry Connections { get; init; } = new(broker.Time);

    /// <summary>Says whether publishers are paused for want of memory.</summary>
    public Func<bool> IsLowOnMemory { get; set; } = static () => false;

    /// <summary>Reads what there is to count.</summary>
    internal NodeFigures Figures => LazyInitializer.EnsureInitialized(ref _figures, () => new NodeFigures(this));

    /// <summary>Makes rates of it.</summary>
    internal Sampler Sampler => LazyInitializer.EnsureInitialized(ref _sampler, () => new Sampler(this));

    /// <summary>The links to other brokers; null where there are none.</summary>
    public ILinks? Links { get; init; }

    /// <summary>What AMQP can do to queues and exchanges; null where nobody can say.</summary>
    public IAmqpTopology? Topology { get; set; }

    /// <summary>When the listeners' certificate ends; null where there is none.</summary>
    public DateTimeOffset? CertificateEnds { get; init; }

    /// <summary>Moves the clock forward; null where it only goes by itself.</summary>
    public Action<TimeSpan>? AdvanceClock { get; init; }

    /// <summary>The product's version.</summary>
    public string Version { get; } = typeof(AdminNode).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    /// <summary>The version of RabbitMQ whose behaviour AMQP clients see.</summary>
    public string RabbitMqVersion { get; init; } = RabbitMqRelease.Version;

    /// <summary>The node's name as RabbitMQ's clients expect names of nodes.</summary>
    public string RabbitMqName { get; } = $"rabbit@{Environment.MachineName}";

    /// <summary>When the node was started.</summary>
    public DateTimeOffset StartedAt { get; } = broker.Time.GetUtcNow();

    /// <summary>The listeners, once they are open.</summary>
    public IReadOnlyList<AdminListener> Listeners { get; set; } = [];

    /// <summary>Whether all listeners serve: neither starting nor stopping.</summary>
    public bool IsReady
    {
        get => _isReady;
        set => _isReady = value;
    }

    /// <summary>Cancelled when the node stops: streams that would never end by themselves end then.</summary>
    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Says that the node is about to stop.</summary>
    public void Stop()
    {
        IsReady = false;
        _stopping.Cancel();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _sampler?.Dispose();
        _stopping.Dispose();
    }
}
