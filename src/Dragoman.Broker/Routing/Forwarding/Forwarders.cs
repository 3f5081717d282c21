using Dragoman.Broker.Channels;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Topics;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Routing.Forwarding;

/// <summary>The forwarders of this node: one for each partition of a topic that keeps a log and has routes. Other topics cost nothing.</summary>
internal sealed class Forwarders
{
    private readonly Queues.Queues _queues;
    private readonly IScheduler _scheduler;
    private readonly Lock _lock = new();
    private readonly Dictionary<TopicName, Group> _groups = [];
    private readonly List<Task> _ending = [];
    private readonly List<(TopicName Topic, int Partition, long FirstLost, long Next)> _untold = [];
    private bool _isRunning;
    private volatile IForwardingObserver[] _observers = [];

    private sealed record Group(LocalTopic Topic, List<Forwarder> Partitions);

    public Forwarders(Store store, StateLog state, ITopics topics, Queues.Queues queues, RouteGraph graph, IScheduler scheduler)
    {
        Store = store;
        State = state;
        Topics = topics;
        Graph = graph;
        _queues = queues;
        _scheduler = scheduler;
    }

    /// <summary>Mistakes that tests have planted.</summary>
    public ForwardingDefects Defects { get; init; } = new();

    public Store Store { get; }

    public StateLog State { get; }

    public ITopics Topics { get; }

    public RouteGraph Graph { get; }

    /// <summary>Who listens to the channels of a namespace; null for nobody anywhere.</summary>
    public Func<NamespaceName, ChannelSpace>? Channels { get; set; }

    public Queues.Queues Queues => _queues;

    /// <summary>What a commit may hold at most, in bytes.</summary>
    public long MaxCommitBytes => Store.MaxCommitBytes;

    /// <summary>Milliseconds since 1970.</summary>
    public long Now => Store.Time.GetUtcNow().ToUnixTimeMilliseconds();

    private ForwardingState Machine => (ForwardingState)State.Machine;

    /// <summary>How far each partition has come.</summary>
    public IReadOnlyList<ForwardingProgress> List()
    {
        var all = new List<ForwardingProgress>();
        lock (_lock)
        {
            foreach (var group in _groups.Values)
                foreach (var forwarder in group.Partitions)
                    if (forwarder.IsActive) all.Add(forwarder.Progress);
        }
        return all;
    }

    public void AddObserver(IForwardingObserver observer)
    {
        (TopicName, int, long, long)[] untold;
        lock (_lock)
        {
            _observers = [.. _observers, observer];
            untold = [.. _untold];
            _untold.Clear();
        }
        foreach (var (topic, partition, firstLost, next) in untold) observer.OnFellBehind(topic, partition, firstLost, next);
    }

    /// <summary>Begins to carry records on.</summary>
    public void Start()
    {
        lock (_lock) _isRunning = true;
        foreach (var topic in Topics.List()) Refresh(topic.Name);
        _ = ForgetAsync(GoneLogs());
    }

    /// <summary>Ends; completes when nothing is under way any more.</summary>
    public async Task StopAsync()
    {
        List<Task> ending;
        lock (_lock)
        {
            _isRunning = false;
            foreach (var group in _groups.Values) End(group);
            _groups.Clear();
            ending = [.. _ending];
        }
        foreach (var end in ending) await end;
    }

    /// <summary>Takes in that a topic's partitions, or the routes that begin there, have changed.</summary>
    public void Refresh(TopicName name)
    {
        List<long>? gone = null;
        lock (_lock)
        {
            if (!_isRunning) return;
            var topic = Topics.Find(name) as LocalTopic;
            if (_groups.TryGetValue(name, out var group) && group.Topic != topic)
            {
                End(group);
                _groups.Remove(name);
                gone = [.. group.Topic.Partitions.Select(static p => ((LocalPartition)p).Log.Id)];
                group = null;
            }
            if (topic is not null) Refresh(name, topic, group);
        }
        if (gone is not null) _ = ForgetAsync(gone);
    }

    public long NextOf(PartitionLog log)
    {
        lock (State.Lock) return Machine.NextOf(log.Id);
    }

    public ValueTask<(Commit Commit, IDisposable? Turn)> BeginAsync(CommitMode mode, long bytes, CancellationToken cancellation) => _queues.BeginAsync(mode, bytes, cancellation);

    /// <summary>Does what the policy of a full queue says with messages that it refused.</summary>
    public ValueTask BuryAsync(LocalQueue queue, MessageBatch batch, int from) => _queues.DeadLetterRefusedAsync(queue, batch, from);

    public void OnFellBehind(TopicName topic, int partition, long firstLost, long next)
    {
        lock (_lock)
        {
            // It may happen while the broker starts.
            if (_observers.Length == 0) _untold.Add((topic, partition, firstLost, next));
        }
        foreach (var observer in _observers) observer.OnFellBehind(topic, partition, firstLost, next);
    }

    public void OnStalled(TopicName topic, int partition, Exception reason)
    {
        foreach (var observer in _observers) observer.OnStalled(topic, partition, reason);
    }

    private void Refresh(TopicName name, LocalTopic topic, Group? group)
    {
        var isActive = Graph.HasRoutes(name);
        if (group is null)
        {
            if (!isActive) return;
            _groups[name] = group = new Group(topic, []);
        }
        while (isActive && group.Partitions.Count < topic.Partitions.Count)
        {
            var forwarder = new Forwarder(this, topic, (LocalPartition)topic.Partitions[group.Partitions.Count]);
            group.Partitions.Add(forwarder);
            forwarder.Start(_scheduler);
        }
        foreach (var forwarder in group.Partitions) forwarder.IsActive = isActive;
    }

    private void End(Group group)
    {
        _ending.RemoveAll(static t => t.IsCompletedSuccessfully);
        foreach (var forwarder in group.Partitions) _ending.Add(forwarder.DisposeAsync().AsTask());
    }

    private List<long> GoneLogs()
    {
        var there = Store.Logs.Select(static l => l.Id).ToHashSet();
        lock (State.Lock) return [.. Machine.Logs.Where(l => !there.Contains(l))];
    }

    /// <summary>Forgets logs that are gone. Should this not get to the disk, the next start does it.</summary>
    private async Task ForgetAsync(List<long> logs)
    {
        if (logs.Count == 0) return;
        try
        {
            await State.ExecuteAsync(
                CommitMode.Written,
                commit =>
                {
                    foreach (var log in logs)
                        if (Machine.Logs.Contains(log)) State.Emit(commit, ForwardingState.Forget(log));
                    return true;
                },
                Store.TypicalCommandBytes + 64 * logs.Count, urgent: true);
        }
        catch (StorageFullException)
        {
        }
        catch (StoreFailedException)
        {
        }
    }
}
