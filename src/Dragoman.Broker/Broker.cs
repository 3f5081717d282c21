using System.Diagnostics.CodeAnalysis;
using Dragoman.Broker.Channels;
using Dragoman.Broker.Configs;
using Dragoman.Broker.Groups;
using Dragoman.Broker.Links;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Notifications;
using Dragoman.Broker.Parameters;
using Dragoman.Broker.Policies;
using Dragoman.Broker.Producers;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Queues.AsTopics;
using Dragoman.Broker.Queues.Moves;
using Dragoman.Broker.Quotas;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Routing.Forwarding;
using Dragoman.Broker.Security;
using Dragoman.Broker.Statistics;
using Dragoman.Broker.Subscriptions;
using Dragoman.Broker.Topics;
using Dragoman.Broker.Transactions;
using Dragoman.Storage;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Broker;

/// <summary>The broker of one node: what front ends talk to.</summary>
[SuppressMessage("Naming", "CA1724", Justification = "It is the broker.")]
public sealed class Broker : IAsyncDisposable
{
    internal const long TopicsState = 1;
    internal const long ProducerIdsState = 2;
    internal const long SecurityStateId = 10;
    internal const long QuotasState = 11;
    internal const long ConfigsState = 12;
    internal const long QueuesState = 20;
    internal const long RoutesState = 21;
    internal const long NamespacesState = 22;
    internal const long ForwardingStateId = 23;
    internal const long MovesState = 24;
    internal const long PoliciesState = 30;
    internal const long NotificationsState = 40;
    internal const long ParametersState = 31;
    internal const long LinksState = 32;
    internal const long FirstTransactionState = 200;

    private readonly IScheduler _scheduler;
    private readonly Random _random;
    private readonly GroupDefects _groupDefects;
    private GroupCoordinator _groups;
    private readonly TransactionGate _gate;
    private readonly ITopics _transactionTopics;
    private TransactionCoordinator _coordinator;

    private readonly Queues.Queues _queues;
    private readonly TopicRouting _routing;
    private readonly Moves _moves;
    private readonly Parameters.Parameters _parameters;
    private readonly Policies.Policies _policies;

    private Broker(BrokerOptions options, Store store, IFileSystem files, IScheduler scheduler, Random random, BrokerSeams seams)
    {
        Options = options;
        Store = store;
        _scheduler = scheduler;
        _random = random;
        _groupDefects = seams.GroupDefects;
        _gate = new TransactionGate(seams.Defects);
        var topics = new Topics.Topics(store, store.GetState(TopicsState), random, _gate, Statistics);
        Topics = topics;
        ProducerIds = new ProducerIds(store.GetState(ProducerIdsState));
        Quotas = new Quotas.Quotas(store.GetState(QuotasState), store.Time);
        Configs = new Configs.Configs(store.GetState(ConfigsState));
        _parameters = new Parameters.Parameters(store.GetState(ParametersState));
        Accounts = new Accounts(store.GetState(SecurityStateId), _parameters);
        _policies = new Policies.Policies(store.GetState(PoliciesState));
        _queues = new Queues.Queues(new SubscriptionHost(store, scheduler, new ScratchFiles(files, $"{options.Store.Directory}/scratch", seams.DueEntriesInMemory), seams.QueueDefects), store.GetState(QueuesState), random, Statistics, _policies.EffectOn);
        TopicsWithQueues = new TopicsWithQueues(Topics, _queues);
        _groups = StartGroups();
        _routing = new TopicRouting(store, store.GetState(RoutesState), store.GetState(ForwardingStateId), Topics, _queues, scheduler, seams.Forwarding, Statistics, _policies.AlternateOf, new Random(store.Id.GetHashCode()));
        _policies.Reapply = () =>
        {
            _queues.Reapply();
            _routing.Touch();
        };
        Queues.AddObserver(_routing);
        Topics.AddObserver(_routing);
        Queues.DeadLetterRouter = _routing;
        Channels = new Channels.Channels(topics, _routing, Queues, store.Time, scheduler);
        Notifications = new Notifications.Notifications(store, store.GetState(NotificationsState), _routing, _queues, () => Channels);
        Namespaces = new Namespaces.Namespaces(store.GetState(NamespacesState), Topics, Queues, store.Time);
        _transactionTopics = seams.TopicsOfTransactions(Topics);
        _coordinator = StartCoordinator();
        _queues.Start();
        _routing.Start(Channels.In);
        _moves = new Moves(_queues, store, store.GetState(MovesState), scheduler);
        _moves.Start();
        LinkProgress = new LinkProgress(store, store.GetState(LinksState), _queues);
    }

    /// <summary>The options it was started with.</summary>
    public BrokerOptions Options { get; }

    /// <summary>The id of the data that this broker serves: made once, and kept for as long as its directory is.</summary>
    public Guid Id => Store.Id;

    /// <summary>The leader epoch of this node: it rises with every start that follows an unclean end.</summary>
    public int Epoch => Store.Epoch;

    /// <summary>How many commits are complete, over all that this data has lived through.</summary>
    public long CompletedCommits => Store.CompletedSequence;

    /// <summary>Whether messages are refused for want of room on the disk; it is looked again by and by.</summary>
    public bool IsDiskFull => Store.Space.IsFull;

    /// <summary>What is below, for metrics and tools. Front ends use the handles.</summary>
    public Store Store { get; }

    /// <summary>The topics.</summary>
    public ITopics Topics { get; }

    /// <summary>The topics, and the queues seen as topics: see <see cref="ITopicHandle.IsQueue"/>.</summary>
    public ITopics TopicsWithQueues { get; }

    /// <summary>The queues.</summary>
    public IQueues Queues => _queues;

    /// <summary>The moves of messages between queues.</summary>
    public IMoves Moves => _moves;

    /// <summary>How far links to other brokers have come.</summary>
    public ILinkProgress LinkProgress { get; }

    /// <summary>The last error that kept messages of a queue from being delivered or moved; null if there was none. It is tried again.</summary>
    public Exception? LastQueueError => _queues.LastError;

    /// <summary>What was counted since the node was started.</summary>
    public BrokerStatistics Statistics { get; } = new();

    /// <summary>The namespaces that were created.</summary>
    public INamespaces Namespaces { get; }

    /// <summary>How messages get from topics to queues.</summary>
    public IRouting Routing => _routing;

    /// <summary>Topics with subscriptions, as SNS has them.</summary>
    public INotifications Notifications { get; }

    /// <summary>Topics as those hear them who listen at the moment.</summary>
    public IChannels Channels { get; }

    /// <summary>The ids of idempotent producers.</summary>
    public IProducerIds ProducerIds { get; }

    /// <summary>Users and permissions.</summary>
    public IAccounts Accounts { get; }

    /// <summary>What was configured while the broker ran.</summary>
    public IConfigs Configs { get; }

    /// <summary>What operators tell parts of the broker while it runs.</summary>
    public IParameters Parameters => _parameters;

    /// <summary>Settings for queues and exchanges by their names.</summary>
    public IPolicies Policies => _policies;

    /// <summary>How much namespaces and users may have.</summary>
    public ILimits Limits => _parameters.Limits;

    /// <summary>Bytes that compaction reads and writes a second at most. It can be changed at any time.</summary>
    public long CompactionBytesPerSecond
    {
        get => Store.CompactionBytesPerSecond;
        set => Store.CompactionBytesPerSecond = value;
    }

    /// <summary>How much clients may do.</summary>
    public IQuotas Quotas { get; }

    /// <summary>The consumer groups.</summary>
    public IGroups Groups => _groups;

    /// <summary>The coordinator of transactions.</summary>
    public ITransactions Transactions => _coordinator;

    /// <summary>The clock.</summary>
    public TimeProvider Time => Store.Time;

    /// <summary>Completes, with the reason, when the disk has failed: the process should end and recover.</summary>
    public Task<Exception> Failed => Store.Failed;

    /// <summary>Opens the data directory, recovers what is in it and starts.</summary>
    /// <param name="options">How.</param>
    /// <param name="files">The disk.</param>
    /// <param name="time">The clock.</param>
    /// <param name="scheduler">Runs background work.</param>
    /// <param name="random">Makes ids.</param>
    /// <exception cref="IOException">The directory is in use, damaged, or on a full disk.</exception>
    public static Task<Broker> StartAsync(BrokerOptions options, IFileSystem files, TimeProvider time, IScheduler scheduler, Random random) =>
        StartAsync(options, files, time, scheduler, random, new BrokerSeams());

    internal static async Task<Broker> StartAsync(BrokerOptions options, IFileSystem files, TimeProvider time, IScheduler scheduler, Random random, BrokerSeams seams)
    {
        ArgumentNullException.ThrowIfNull(options);
        var opener = new StoreOpener(options.Store, files, time, scheduler, random, CreateMachines()) { StateFactory = static _ => new SubscriptionState() };
        return new Broker(options, await opener.OpenAsync(), files, scheduler, random, seams);
    }

    /// <summary>Every state machine that has an id of its own, empty.</summary>
    internal static Dictionary<long, IStateMachine> CreateMachines()
    {
        var machines = new Dictionary<long, IStateMachine>
        {
            [TopicsState] = new TopicRegistry(),
            [ProducerIdsState] = new ProducerIdState(),
            [SecurityStateId] = new SecurityState(),
            [QuotasState] = new QuotaRegistry(),
            [ConfigsState] = new ConfigRegistry(),
            [QueuesState] = new QueueRegistry(),
            [RoutesState] = new RoutingState(),
            [NamespacesState] = new NamespaceState(),
            [ForwardingStateId] = new ForwardingState(),
            [MovesState] = new MoveRegistry(),
            [PoliciesState] = new PolicyState(),
            [NotificationsState] = new NotificationState(),
            [ParametersState] = new ParameterState(),
            [LinksState] = new LinkRegistry(),
        };
        foreach (var (id, machine) in GroupCoordinator.CreateMachines()) machines.Add(id, machine);
        for (var i = 0; i < TransactionContext.Shards; i++) machines.Add(FirstTransactionState + i, new TransactionShard());
        return machines;
    }

    /// <summary>Stops in good order.</summary>
    public async ValueTask DisposeAsync()
    {
        await _routing.StopAsync();
        await _moves.DisposeAsync();
        await _queues.StopAsync();
        await _coordinator.DisposeAsync();
        _groups.Dispose();
        await Store.DisposeAsync();
    }

    /// <summary>
    /// Lets the coordinator of groups go and has another take its place, as when its shards move between nodes; that of
    /// transactions, which commits offsets through it, goes with it.
    /// </summary>
    internal async Task MoveGroupsAsync()
    {
        await _coordinator.DisposeAsync();
        _groups.Dispose();
        _groups = StartGroups();
        _coordinator = StartCoordinator();
    }

    private GroupCoordinator StartGroups() => new(Store, TopicsWithQueues, Configs, Options.Groups, _scheduler, _random, _groupDefects);

    /// <summary>Lets the coordinator of transactions go and has another take its place, as when a share moves between nodes.</summary>
    internal async Task MoveCoordinatorAsync()
    {
        await _coordinator.DisposeAsync();
        _coordinator = StartCoordinator();
    }

    /// <summary>Lets a queue's subscription go, with all that is only in memory, and has another take its place, as when it moves between nodes.</summary>
    internal void MoveQueue(IQueueHandle queue) => _queues.Move((LocalQueue)queue);

    private TransactionCoordinator StartCoordinator()
    {
        var coordinator = new TransactionCoordinator(new TransactionContext(Store, _transactionTopics, _groups.Transactional, ProducerIds, Options.Transactions, _gate.Defects), _scheduler);
        _gate.Coordinator = coordinator;
        return coordinator;
    }
}
