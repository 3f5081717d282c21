using System.Collections.Concurrent;
using System.Text.Json;
using Dragoman.Broker.Links;
using Dragoman.Broker.Namespaces;
using Dragoman.Links.Definitions;
using Dragoman.Links.Running;
using Dragoman.Protocols.RabbitMq;
using Microsoft.Extensions.Logging;

namespace Dragoman.Links;

/// <summary>
/// The links between this broker and others: shovels, as runtime parameters define them. What a parameter says is carried out
/// as soon as it is there, and ends when it goes.
/// </summary>
public sealed class Links : ILinks, IAsyncDisposable
{
    /// <summary>The kind of parameter that defines shovels.</summary>
    public const string ShovelComponent = "shovel";

    private readonly Broker.Broker _broker;
    private readonly ILogger _log;
    private readonly SemaphoreSlim _changing = new(1, 1);
    private readonly ConcurrentDictionary<(NamespaceName Space, string Name), (string Text, ShovelLink Link)> _shovels = new();
    private bool _isStopped;

    /// <summary>Creates them; nothing runs yet.</summary>
    /// <param name="broker">This broker.</param>
    /// <param name="loggers">Where they log.</param>
    public Links(Broker.Broker broker, ILoggerFactory loggers)
    {
        ArgumentNullException.ThrowIfNull(broker);
        ArgumentNullException.ThrowIfNull(loggers);
        _broker = broker;
        _log = loggers.CreateLogger<Links>();
    }

    /// <summary>Called when a shovel has done its work, so that its parameter goes.</summary>
    public Func<NamespaceName, string, Task>? OnCompleted { get; set; }

    /// <inheritdoc/>
    public IReadOnlyList<Shovel> Shovels => [.. _shovels.Values.Select(s => s.Link.Shovel).OrderBy(s => s.Namespace.ToString(), StringComparer.Ordinal).ThenBy(s => s.Name, StringComparer.Ordinal)];

    /// <inheritdoc/>
    public IReadOnlyList<FederationLink> FederationLinks => [];

    /// <inheritdoc/>
    public IReadOnlyList<string> Check(string component, string name, JsonElement value)
    {
        var problems = new List<string>();
        if (component == ShovelComponent) ShovelDefinition.Read(name, value, problems);
        return problems;
    }

    /// <summary>Starts a shovel, in the place of the one that has its name.</summary>
    /// <param name="space">The namespace that it belongs to.</param>
    /// <param name="name">Its name.</param>
    /// <param name="value">The parameter's value.</param>
    public async Task PutShovelAsync(NamespaceName space, string name, JsonElement value)
    {
        var problems = new List<string>();
        if (ShovelDefinition.Read(name, value, problems) is not { } definition)
        {
            _log.LogWarning("Shovel '{Name}' of virtual host '{VirtualHost}' is not started: {Problem}", name, VirtualHosts.FromNamespace(space), problems[0]);
            return;
        }
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            var text = value.GetRawText();
            if (_isStopped || (_shovels.TryGetValue((space, name), out var known) && known.Text == text)) return;
            await StopAsync(space, name).ConfigureAwait(false);
            var link = new ShovelLink(_broker, space, name, definition, () => CompleteAsync(space, name), _log);
            _shovels[(space, name)] = (text, link);
            link.Start();
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>Ends a shovel, and forgets how far it has come.</summary>
    public async Task RemoveShovelAsync(NamespaceName space, string name)
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            if (await StopAsync(space, name).ConfigureAwait(false) is { } memory) await _broker.LinkProgress.ForgetAsync(memory).ConfigureAwait(false);
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <inheritdoc/>
    public async ValueTask<bool> RestartShovelAsync(NamespaceName space, string name)
    {
        if (!_shovels.TryGetValue((space, name), out var known)) return false;
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            await StopAsync(space, name).ConfigureAwait(false);
        }
        finally
        {
            _changing.Release();
        }
        using var value = JsonDocument.Parse(known.Text);
        await PutShovelAsync(space, name, value.RootElement).ConfigureAwait(false);
        return true;
    }

    /// <inheritdoc/>
    public ValueTask<bool> RestartFederationLinkAsync(string id) => ValueTask.FromResult(false);

    /// <summary>Ends all links in good order.</summary>
    public async ValueTask DisposeAsync()
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            _isStopped = true;
            await Task.WhenAll(_shovels.Values.Select(s => s.Link.DisposeAsync().AsTask())).ConfigureAwait(false);
            _shovels.Clear();
        }
        finally
        {
            _changing.Release();
        }
    }

    private async Task<string?> StopAsync(NamespaceName space, string name)
    {
        if (!_shovels.TryRemove((space, name), out var known)) return null;
        await known.Link.DisposeAsync().ConfigureAwait(false);
        return known.Link.Memory;
    }

    private async Task CompleteAsync(NamespaceName space, string name)
    {
        if (OnCompleted is { } completed) await completed(space, name).ConfigureAwait(false);
    }
}
