using Dragoman.Broker;
using Dragoman.Broker.Tests.Transactions;
using Dragoman.Broker.Topics;
using Dragoman.Broker.Transactions;
using Dragoman.Storage;
using Dragoman.Storage.Journal;

namespace Dragoman.Simulation.Transactions;

/// <summary>
/// One seeded story of transactions: several lives of a broker, in each of them producers that begin, send, commit, abort,
/// stall, die and are taken over, consumers that read what is committed, and a coordinator that moves. Lives end with a
/// good stop, a kill or a power cut; producers and consumers outlive them.
/// </summary>
internal sealed class TransactionRun : BrokerStory
{
    private const int Partitions = 4;
    private const int Steps = 60;

    private readonly TransactionDefects _defects;
    private readonly TransactionModel _model;
    private readonly List<TransactionClient> _clients = [];
    private readonly List<CommittedReader> _readers = [];
    private readonly bool _isRemote;
    private readonly CommitMode _mode;
    private readonly TimeSpan _expiration;

    public TransactionRun(ulong seed, TransactionDefects? defects = null)
        : base(seed, new SimDiskOptions { Capacity = 32 << 20 })
    {
        _defects = defects ?? new TransactionDefects();
        _model = new TransactionModel(Sim);
        _isRemote = !Random.OneIn(3);
        _mode = Random.OneIn(4) ? CommitMode.Written : CommitMode.Fsync;
        _expiration = Random.OneIn(2) ? TimeSpan.FromSeconds(20) : TimeSpan.FromDays(1);
        for (var i = 0; i < Partitions; i++) _readers.Add(new CommittedReader(_model, i));
        for (var i = 0; i < 3; i++) _clients.Add(NewClient(TransactionalId.InDefault($"p{i}")));
    }

    protected override (int Least, int Most) CrashAfter => (20, 400);

    protected override bool MayLosePower => _mode == CommitMode.Fsync;

    private TransactionClient NewClient(TransactionalId id) => new(Sim, Random.Fork(), _model, id, Partitions, Coverage);

    protected override async Task LiveAsync(SimProcess process, bool last, bool stops)
    {
        var markers = new FaultyMarkers(Sim, process, Random.Fork(), Coverage);
        var broker = await Broker.Broker.StartAsync(
            new BrokerOptions { Store = SmallStore() with { JournalFileBytes = 128 << 10, ProducerExpiration = _expiration } },
            Disk,
            Sim.Time,
            process,
            IdsOfLife(),
            new BrokerSeams { Defects = _defects, TopicsOfTransactions = topics => _isRemote ? new InterceptedTopics(topics, markers.DeliverAsync) : topics });
        var settings = TopicSettings.Default with { CommitMode = _mode, RetentionMs = -1 };
        var created = await broker.Topics.CreateAsync(TopicName.InDefault("t"), Partitions, settings);
        TransactionModel.Check(created.Status is TopicStatus.Ok or TopicStatus.AlreadyExists, $"the topic is there: {created.Message}");

        var workers = new List<Task>();
        foreach (var client in _clients.ToArray()) workers.Add(process.Run($"client {client.Id}", () => WorkAsync(process, broker, client)));
        workers.Add(process.Run("takeovers", () => TakeOverAsync(process, broker, workers)));
        workers.Add(process.Run("mover", () => MoveAsync(broker)));
        var reading = true;
        var readers = process.Run("readers", () => ReadAsync(broker, () => reading));
        for (var i = 0; i < workers.Count; i++) await workers[i];
        if (last) await SettleAsync(process, broker);
        reading = false;
        await readers;
        TransactionModel.Check(!broker.Failed.IsCompleted, "the store has not failed");
        if (last) await VerifyAsync(broker);
        if (stops) await broker.DisposeAsync();
    }

    private async Task WorkAsync(SimProcess process, Broker.Broker broker, TransactionClient client)
    {
        for (var i = 0; i < Steps; i++)
        {
            await client.StepAsync(process, broker, mayBegin: true);
            await Sim.DelayAsync(TimeSpan.FromMilliseconds(Random.NextDouble() * 5));
        }
    }

    /// <summary>Starts new instances under ids that others have, dead or alive.</summary>
    private async Task TakeOverAsync(SimProcess process, Broker.Broker broker, List<Task> workers)
    {
        for (var n = Random.Between(1, 4); n > 0; n--)
        {
            await Sim.DelayAsync(TimeSpan.FromMilliseconds(Random.Next(400)));
            var done = _clients.FindAll(c => c.IsDone);
            var client = NewClient(Random.Pick(done.Count > 0 && !Random.OneIn(3) ? done : _clients).Id);
            _clients.Add(client);
            workers.Add(process.Run($"client {client.Id}", () => WorkAsync(process, broker, client)));
        }
    }

    private async Task MoveAsync(Broker.Broker broker)
    {
        for (var n = Random.Next(3); n > 0; n--)
        {
            await Sim.DelayAsync(TimeSpan.FromMilliseconds(Random.Next(400)));
            await broker.MoveCoordinatorAsync();
            Coverage.Saw("moved the coordinator");
            if (Random.OneIn(2)) await broker.Store.CheckpointAsync();
        }
    }

    private async Task ReadAsync(Broker.Broker broker, Func<bool> goOn)
    {
        while (goOn())
        {
            foreach (var reader in _readers) await reader.ReadAsync(broker, Random.Between(1, 3000));
            await Sim.DelayAsync(TimeSpan.FromMilliseconds(Random.Next(50)));
        }
    }

    /// <summary>Lets every producer come to an end, and what nobody ends time out.</summary>
    private async Task SettleAsync(SimProcess process, Broker.Broker broker)
    {
        for (var round = 0; !_clients.TrueForAll(c => c.IsAtRest); round++)
        {
            TransactionModel.Check(round < 2000, "every producer gets its answer");
            foreach (var client in _clients) await client.StepAsync(process, broker, mayBegin: false);
            await Sim.DelayAsync(TimeSpan.FromMilliseconds(20));
        }
        for (var round = 0; broker.Transactions.List().Any(t => t.State is TransactionState.Ongoing or TransactionState.PrepareAbort or TransactionState.PrepareCommit); round++)
        {
            TransactionModel.Check(round < 300, "every transaction ends");
            await Sim.DelayAsync(TimeSpan.FromMilliseconds(500));
        }
        // What is still under way, late, may arrive now.
        await Sim.DelayAsync(TimeSpan.FromSeconds(5));
    }

    /// <summary>All or nothing, exactly once, in partitions and offsets alike.</summary>
    private async Task VerifyAsync(Broker.Broker broker)
    {
        for (var i = 0; i < Partitions; i++)
        {
            while (await _readers[i].ReadAsync(broker, 1 << 20))
            {
            }
            var again = new CommittedReader(_model, i);
            while (await again.ReadAsync(broker, Random.Between(1, 5000)))
            {
            }
            TransactionModel.Check(again.Values.SetEquals(_readers[i].Values), $"partition {i} reads the same from its start as it did over time");
            TransactionModel.Check(broker.Topics.Find(TopicName.InDefault("t"))!.Partitions[i].TryGetOffsets(out var offsets), $"partition {i} is there");
            TransactionModel.Check(offsets.LastStable == offsets.HighWatermark, $"no transaction hangs at partition {i}: {offsets.LastStable} of {offsets.HighWatermark}");
        }
        foreach (var transaction in _model.All)
        {
            var seen = transaction.Acknowledged.Count(r => _readers[r.Partition].Values.Contains(r.Value));
            TransactionModel.Check(seen == 0 || seen == transaction.Acknowledged.Count, $"{transaction} is there as a whole: {seen} of {transaction.Acknowledged.Count}");
            if (transaction.IsCommitted == true) TransactionModel.Check(seen == transaction.Acknowledged.Count, $"{transaction}, which was committed, is there");
        }
        foreach (var id in _clients.Select(c => c.Id).Distinct()) await VerifyOffsetAsync(broker, id);
    }

    private async Task VerifyOffsetAsync(Broker.Broker broker, TransactionalId id)
    {
        var fetched = (await TransactionClient.FetchOffsetAsync(broker, id)).Offsets[0];
        TransactionModel.Check(fetched.Status == Broker.Groups.GroupStatus.Ok, $"the offset of {id} is settled: {fetched.Status}");
        var offset = fetched.Committed?.Offset ?? 0;
        foreach (var transaction in _model.All.Where(t => t.Id == id && t.HasOffset))
        {
            var known = transaction.Acknowledged.Count > 0 ? _readers[transaction.Acknowledged[0].Partition].Values.Contains(transaction.Acknowledged[0].Value) : transaction.IsCommitted;
            if (known == true) TransactionModel.Check(offset >= transaction.Number, $"the offset that {transaction} committed is there, not {offset}");
            if (offset == transaction.Number) TransactionModel.Check(known != false, $"the offset of {transaction} is there, and it was not committed");
        }
    }
}
