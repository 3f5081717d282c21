using System.Diagnostics.CodeAnalysis;
using Dragoman.Broker.Links;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Queues;
using Microsoft.Extensions.Logging;

namespace Dragoman.Links.Federation;

/// <summary>
/// Runs a link for each exchange and queue that a policy federates, and each of its upstreams; starts and ends them as
/// policies, upstreams, exchanges and queues come and go.
/// </summary>
internal sealed class Federations : IQueueObserver, IAsyncDisposable
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly Broker.Broker _broker;
    private readonly ILogger _log;
    private readonly Upstreams _upstreams;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _changing = new(1, 1);
    private readonly Dictionary<string, (object Definition, FederationRun Run)> _runs = new(StringComparer.Ordinal);
    private IReadOnlyList<FederationRun> _shown = [];
    private Task _following = Task.CompletedTask;
    private long _changes = 1;

    /// <summary>Creates it; nothing runs yet.</summary>
    public Federations(Broker.Broker broker, ILogger log)
    {
        (_broker, _log) = (broker, log);
        _upstreams = new Upstreams(broker.Parameters);
        broker.Queues.AddObserver(this);
        broker.Policies.Changed += OnPoliciesChanged;
    }

    /// <summary>The links.</summary>
    public IReadOnlyList<FederationLink> Links => [.. Volatile.Read(ref _shown).Select(static r => r.Description)];

    /// <summary>Begins.</summary>
    public void Start() => _following = Task.Run(FollowAsync);

    /// <summary>Parameters or policies have changed.</summary>
    public void Look() => Interlocked.Increment(ref _changes);

    private void OnPoliciesChanged(NamespaceName space) => Look();

    void IQueueObserver.OnCreated(IQueueHandle queue) => Look();

    void IQueueObserver.OnDeleted(IQueueHandle queue) => Look();

    /// <summary>Stops a link and starts it again.</summary>
    public async ValueTask<bool> RestartAsync(string id)
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            var found = _runs.FirstOrDefault(r => r.Value.Run.Id == id);
            if (found.Key is null) return false;
            await found.Value.Run.DisposeAsync().ConfigureAwait(false);
            _runs.Remove(found.Key);
            Show();
        }
        finally
        {
            _changing.Release();
        }
        await ReconcileAsync().ConfigureAwait(false);
        return true;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _broker.Policies.Changed -= OnPoliciesChanged;
        await _stop.CancelAsync().ConfigureAwait(false);
        await _following.ConfigureAwait(false);
        await Task.WhenAll(_runs.Values.Select(static r => r.Run.DisposeAsync().AsTask())).ConfigureAwait(false);
        _runs.Clear();
        Show();
        _stop.Dispose();
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever is wrong with one link, the others are followed.")]
    private async Task FollowAsync()
    {
        var (changes, routing) = (0L, -1L);
        while (!_stop.IsCancellationRequested)
        {
            var now = (Interlocked.Read(ref _changes), _broker.Routing.Version);
            try
            {
                // Where nothing is federated nothing is looked at.
                if (now != (changes, routing) && (_runs.Count > 0 || _broker.Parameters.List(Upstreams.Component).Count > 0)) await ReconcileAsync().ConfigureAwait(false);
                (changes, routing) = now;
                await Task.Delay(LookEvery, _stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                _log.LogError(error, "Federation links cannot be brought up to date");
                (changes, routing) = now;
            }
        }
    }

    private async Task ReconcileAsync()
    {
        await _changing.WaitAsync().ConfigureAwait(false);
        try
        {
            var wanted = new Dictionary<string, (object Definition, Func<FederationRun> Create)>(StringComparer.Ordinal);
            foreach (var topic in _broker.Routing.List())
            {
                if (UpstreamChoice.Read(_broker.Policies.Match(topic.Name)) is not { } choice) continue;
                foreach (var upstream in _upstreams.Find(topic.Name.Namespace, choice).DistinctBy(u => (u.Name, u.Exchange)))
                    wanted[$"exchange {topic.Name} {upstream.Name} {upstream.Exchange}"] = (Identity(upstream), () => new FederatedExchange(_broker, topic.Name, upstream, _log));
            }
            foreach (var queue in _broker.Queues.List())
            {
                if (UpstreamChoice.Read(_broker.Policies.Match(queue)) is not { } choice) continue;
                foreach (var upstream in _upstreams.Find(queue.Name.Namespace, choice).DistinctBy(u => (u.Name, u.Queue)))
                    wanted[$"queue {queue.Name} {queue.Id} {upstream.Name} {upstream.Queue}"] = (Identity(upstream), () => new FederatedQueue(_broker, queue, upstream, _log));
            }
            foreach (var (key, (definition, run)) in _runs.ToList())
            {
                var isGone = !wanted.TryGetValue(key, out var other);
                if (!isGone && other.Definition.Equals(definition)) continue;
                await run.DisposeAsync().ConfigureAwait(false);
                if (isGone) await run.ForgetAsync(_log).ConfigureAwait(false);
                _runs.Remove(key);
            }
            foreach (var (key, (definition, create)) in wanted)
            {
                if (_stop.IsCancellationRequested || _runs.ContainsKey(key)) continue;
                var run = create();
                _runs.Add(key, (definition, run));
                run.Start();
            }
            Show();
        }
        finally
        {
            _changing.Release();
        }
    }

    /// <summary>An upstream as something that is equal to another one that says the same.</summary>
    private static UpstreamIdentity Identity(UpstreamDefinition upstream) => new(upstream with { Uris = [] }, string.Join(' ', upstream.Uris.Select(static u => u.Full)));

    private sealed record UpstreamIdentity(UpstreamDefinition Definition, string Uris);

    private void Show() => Volatile.Write(ref _shown, [.. _runs.Values.Select(static r => r.Run)]);
}
