using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Threading.Channels;
using Dragoman.Broker.Links;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Parameters;
using Dragoman.Links.Definitions;
using Dragoman.Links.Federation;
using Dragoman.Links.Running;
using Dragoman.Protocols.RabbitMq;
using Microsoft.Extensions.Logging;

namespace Dragoman.Links;

/// <summary>
/// The links between this broker and others: shovels, as runtime parameters define them, and the federation of exchanges and
/// queues, as parameters and policies do. What they say is carried out as soon as it is set, and ends when it is taken back.
/// </summary>
public sealed class Links : ILinks, IAsyncDisposable
{
    /// <summary>The component whose parameters are shovels.</summary>
    public const string ShovelComponent = "shovel";

    private readonly Broker.Broker _broker;
    private readonly ILogger _log;
    private readonly Channel<ParameterKey> _changes = Channel.CreateUnbounded<ParameterKey>(new UnboundedChannelOptions { SingleReader = true });
    private readonly SemaphoreSlim _changing = new(1, 1);
    private readonly ConcurrentDictionary<(NamespaceName Space, string Name), (string Text, ShovelLink Link)> _shovels = new();
    private readonly Federations _federations;
    private Task _following = Task.CompletedTask;
    private bool _isStopped;
    private int _isDisposed;

    /// <summary>Creates them, and has the broker take their parameters; nothing runs yet.</summary>
    /// <param name="broker">This broker.</param>
    /// <param name="loggers">Where they log.</param>
    public Links(Broker.Broker broker, ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(broker);
        ArgumentNullException.ThrowIfNull(loggers);
        _broker = broker;
        _log = loggers.CreateLogger<Links>();
        broker.Parameters.Register(new Component(ShovelComponent, static (name, value, problems) => ShovelDefinition.Read(name, value, problems)) { Local = static (name, value) => ShovelDefinition.Read(name, value, [])?.LocalSpaces ?? [] });
        broker.Parameters.Register(new Component(Upstreams.Component, static (name, value, problems) => UpstreamDefinition.Read(name, value, problems)));
        broker.Parameters.Register(new Component(Upstreams.SetComponent, UpstreamDefinition.CheckSet));
        _federations = new Federations(broker, _log);
    }

    /// <inheritdoc/>
    public IReadOnlyList<Shovel> Shovels =>
        [.. _shovels.Values.Select(static s => s.Link.Shovel).OrderBy(static s => s.Namespace.ToString(), StringComparer.Ordinal).ThenBy(static s => s.Name, StringComparer.Ordinal)];

    /// <inheritdoc/>
    public IReadOnlyList<FederationLink> FederationLinks => _federations.Links;

    /// <summary>Starts what the parameters say, and follows their changes.</summary>
    public void Start()
    {
        _broker.Parameters.Changed += OnChanged;
        foreach (var parameter in _broker.Parameters.List(ShovelComponent)) OnChanged(parameter.Key);
        _following = Task.Run(FollowAsync);
        _federations.Start();
    }

    /// <inheritdoc/>
    public async ValueTask<bool> RestartShovelAsync(NamespaceName space, string name)
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_isStopped || !_shovels.TryGetValue((space, name), out var known)) return false;
            using var value = JsonDocument.Parse(known.Text);
            await PutAsync(space, name, known.Text, ShovelDefinition.Read(name, value.RootElement, [])!).ConfigureAwait(false);
            return true;
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <inheritdoc/>
    public ValueTask<bool> RestartFederationLinkAsync(string id) => _federations.RestartAsync(id);

    /// <summary>Ends all links in good order.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _isDisposed, 1) != 0) return;
        _broker.Parameters.Changed -= OnChanged;
        await _federations.DisposeAsync().ConfigureAwait(false);
        _changes.Writer.TryComplete();
        await _following.ConfigureAwait(false);
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            _isStopped = true;
            await Task.WhenAll(_shovels.Values.Select(static s => s.Link.DisposeAsync().AsTask())).ConfigureAwait(false);
            _shovels.Clear();
        }
        finally
        {
            _changing.Release();
        }
    }

    private void OnChanged(ParameterKey key)
    {
        if (key is { Scope: ParameterScope.Component, Component: ShovelComponent }) _changes.Writer.TryWrite(key);
        if (key is { Scope: ParameterScope.Component, Component: Upstreams.Component or Upstreams.SetComponent }) _federations.Look();
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever is wrong with one link, the others are followed.")]
    private async Task FollowAsync()
    {
        await foreach (var key in _changes.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            try
            {
                await ApplyAsync(key).ConfigureAwait(false);
            }
            catch (Exception error)
            {
                _log.LogError(error, "Parameter '{Name}' of '{Component}' cannot be carried out", key.Name, key.Component);
            }
        }
    }

    /// <summary>Has what runs be what a parameter says.</summary>
    private async Task ApplyAsync(ParameterKey key)
    {
        var space = key.Namespace!;
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            if (_broker.Parameters.Find(key) is not { } parameter)
            {
                await RemoveAsync(space, key.Name).ConfigureAwait(false);
                return;
            }
            if (_shovels.TryGetValue((space, key.Name), out var known) && known.Text == parameter.Value) return;
            var problems = new List<string>();
            using var value = JsonDocument.Parse(parameter.Value);
            if (ShovelDefinition.Read(key.Name, value.RootElement, problems) is { } definition) await PutAsync(space, key.Name, parameter.Value, definition).ConfigureAwait(false);
            else _log.LogWarning("Shovel '{Name}' of virtual host '{VirtualHost}' is not started: {Problem}", key.Name, VirtualHosts.FromNamespace(space), problems[0]);
        }
        finally
        {
            _changing.Release();
        }
    }

    private async Task PutAsync(NamespaceName space, string name, string text, ShovelDefinition definition)
    {
        var link = new ShovelLink(_broker, space, name, definition, () => CompleteAsync(space, name), _log);
        if (_shovels.TryRemove((space, name), out var before))
        {
            await before.Link.DisposeAsync().ConfigureAwait(false);
            // What an earlier definition has come to means nothing to one with other ends.
            if (before.Link.Memory != link.Memory) await before.Link.ForgetAsync().ConfigureAwait(false);
            else link = new ShovelLink(_broker, space, name, definition, () => CompleteAsync(space, name), _log);
        }
        _shovels[(space, name)] = (text, link);
        link.Start();
    }

    private async Task RemoveAsync(NamespaceName space, string name)
    {
        if (!_shovels.TryRemove((space, name), out var known)) return;
        await known.Link.DisposeAsync().ConfigureAwait(false);
        await known.Link.ForgetAsync().ConfigureAwait(false);
    }

    private async Task CompleteAsync(NamespaceName space, string name) =>
        await _broker.Parameters.RemoveAsync(ParameterKey.Of(space, ShovelComponent, name)).ConfigureAwait(false);

    /// <summary>A component whose parameters are links.</summary>
    private sealed class Component(string name, Action<string, JsonElement, List<string>> check) : IParameterComponent
    {
        public string Name => name;

        /// <summary>The namespaces of this broker that a value has links act in.</summary>
        public Func<string, JsonElement, IReadOnlyList<NamespaceName>> Local { get; init; } = static (_, _) => [];

        public IReadOnlyList<NamespaceName> Reaches(string name, JsonElement value) => Local(name, value);

        public IReadOnlyList<string> Validate(NamespaceName space, string name, JsonElement value)
        {
            var problems = new List<string>();
            check(name, value, problems);
            return problems;
        }
    }
}
