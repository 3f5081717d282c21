using System.Globalization;
using Dragoman.Broker.Links;
using Dragoman.Broker.Namespaces;
using Dragoman.Links.Definitions;
using Dragoman.Links.Ends;
using Dragoman.Links.Messages;
using Dragoman.Protocols.RabbitMq;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;

namespace Dragoman.Links.Running;

/// <summary>A shovel that runs.</summary>
internal sealed class ShovelLink : IAsyncDisposable
{
    private readonly Broker.Broker _broker;
    private readonly ILogger _log;
    private readonly Link _link;
    private readonly string _worldwide;
    private readonly ShovelDefinition _definition;
    private readonly NamespaceName _space;
    private readonly string _name;

    /// <summary>Creates it.</summary>
    /// <param name="broker">This broker.</param>
    /// <param name="space">The namespace that it belongs to.</param>
    /// <param name="name">Its name.</param>
    /// <param name="definition">What it does.</param>
    /// <param name="onCompleted">What is to be done when its work is done.</param>
    /// <param name="log">Where it logs.</param>
    public ShovelLink(Broker.Broker broker, NamespaceName space, string name, ShovelDefinition definition, Func<Task> onCompleted, ILogger log)
    {
        (_space, _name, _definition) = (space, name, definition);
        (_broker, _log) = (broker, log);
        Memory = MemoryOf(space, name, definition);
        _worldwide = string.Create(CultureInfo.InvariantCulture, $"{broker.Id:n}/{Memory}");
        var noAck = definition.AckMode == AckMode.NoAck;
        var connection = $"Shovel {name}";
        _link = new Link(
            broker,
            new LinkOptions(
                new PumpOptions(Memory, definition.AckMode, definition.DeleteAfter, message => Change(broker, message)),
                definition.ReconnectDelay,
                () => definition.Source.IsLocal
                    ? new LocalSource(broker, definition.Source, Memory, definition.Prefetch, definition.ConsumerArguments, noAck)
                    : new RemoteSource(new RemoteSourceOptions(definition.Source, Traces.SourceOf(_worldwide), connection, definition.Prefetch, definition.ConsumerArguments) { NoAck = noAck }),
                () => definition.Target.IsLocal
                    ? new LocalTarget(broker, definition.Target, Memory)
                    : new RemoteTarget(definition.Target, Traces.TargetOf(_worldwide), connection, definition.AckMode == AckMode.OnConfirm),
                $"Shovel '{name}' of virtual host '{VirtualHosts.FromNamespace(space)}'")
            {
                OnCompleted = onCompleted,
            },
            log);
    }

    /// <summary>What the link is called in what is remembered: another source or target is another link.</summary>
    public string Memory { get; }

    /// <summary>How it is.</summary>
    public Shovel Shovel => new(_space, _name, Describe(_definition.Source), Describe(_definition.Target), _link.Status);

    /// <summary>The name of what a shovel remembers.</summary>
    public static string MemoryOf(NamespaceName space, string name, ShovelDefinition definition) =>
        $"shovel/{space}/{name}/{EndText(definition.Source)}/{EndText(definition.Target)}";

    /// <summary>Begins.</summary>
    public void Start() => _link.Start();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _link.DisposeAsync();

    /// <summary>Forgets how far it has come, and takes away what it has of its own at either end, as far as that can be reached.</summary>
    public async Task ForgetAsync()
    {
        await _broker.LinkProgress.ForgetAsync(Memory).ConfigureAwait(false);
        await Traces.RemoveAsync(_broker, _definition.Source, _definition.Target, Memory, _worldwide, _log).ConfigureAwait(false);
    }

    private static string EndText(EndDefinition end) => $"{end.Uris[0].Shown}:{(end.Queue is { } queue ? "queue " + queue : $"exchange {end.Exchange} {end.Key}")}";

    private static LinkEnd Describe(EndDefinition end) => new(end.Uris[0].Shown, end.Queue, end.Exchange, end.Key);

    private LinkMessage Change(Broker.Broker broker, LinkMessage message)
    {
        if (_definition is { Properties.Count: 0, AddsForwardHeaders: false, AddsTimestamp: false }) return message;
        var properties = new BasicProperties(message.Properties);
        PublishedProperties.Apply(_definition.Properties, properties);
        if (_definition.AddsForwardHeaders || _definition.AddsTimestamp)
        {
            var headers = properties.Headers is { } known ? new Dictionary<string, object?>(known) : [];
            if (_definition.AddsForwardHeaders) RoutingHeader.Prepend(headers, "x-shovelled", ForwardHeaders(broker));
            if (_definition.AddsTimestamp) headers["x-shovelled-timestamp"] = broker.Time.GetUtcNow().ToUnixTimeSeconds();
            properties.Headers = headers;
        }
        return message.With(properties);
    }

    private Dictionary<string, object?> ForwardHeaders(Broker.Broker broker)
    {
        var table = new Dictionary<string, object?>
        {
            ["shovelled-by"] = RoutingHeader.ClusterName(broker),
            ["shovel-type"] = "dynamic",
            ["shovel-name"] = _name,
            ["shovel-vhost"] = VirtualHosts.FromNamespace(_space),
            ["src-uri"] = _definition.Source.Uris[0].Shown,
            ["dest-uri"] = _definition.Target.Uris[0].Shown,
        };
        Add("src-queue", _definition.Source.Queue);
        Add("src-exchange", _definition.Source.Exchange);
        Add("src-exchange-key", _definition.Source.Exchange is null ? null : _definition.Source.Key ?? "");
        Add("dest-exchange", _definition.Target.Exchange);
        Add("dest-exchange-key", _definition.Target.Key);
        Add("dest-queue", _definition.Target.Queue);
        return table;

        void Add(string name, string? value)
        {
            if (value is not null) table[name] = value;
        }
    }
}
