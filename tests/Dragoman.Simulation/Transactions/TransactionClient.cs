using System.Globalization;
using System.Text;
using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Topics;
using Dragoman.Broker.Transactions;
using Dragoman.Storage.Records;

namespace Dragoman.Simulation.Transactions;

/// <summary>
/// An instance of a transactional producer. It outlives the broker: what it did not get an answer to, it asks again, as
/// clients do. It may become a zombie, and never notices before it is told.
/// </summary>
internal sealed class TransactionClient(SimScheduler sim, SimRandom random, TransactionModel model, TransactionalId id, int partitions, Coverage coverage)
{
    private const string Topic = "t";

    private readonly Dictionary<int, int> _sequences = [];
    private readonly HashSet<int> _added = [];
    private readonly HashSet<int> _asked = [];
    private readonly int _timeoutMs = random.OneIn(3) ? 1500 : 60_000;
    private ProducerIdentity _identity = ProducerIdentity.None;
    private Phase _phase;
    private ModelTransaction? _current;
    private (int Partition, byte[] Batch, string Value)? _unanswered;
    private bool _isUnsure;
    private int _attemptsAtStart;

    private enum Phase
    {
        New,
        Idle,
        Open,
        Committing,
        Aborting,
        Recovering,
        Done,
    }

    public TransactionalId Id => id;

    /// <summary>Whether it has been told that another instance has taken over.</summary>
    public bool IsDone => _phase == Phase.Done;

    /// <summary>Whether it waits for nothing.</summary>
    public bool IsAtRest => _phase is Phase.Idle or Phase.Done or Phase.New;

    private static GroupName Group(TransactionalId id) => GroupName.InDefault($"group of {id.Name}");

    public static Task<OffsetsAnswer> FetchOffsetAsync(Broker.Broker broker, TransactionalId id) =>
        broker.Groups.FetchOffsetsAsync(Group(id), GroupCaller.Outsider, [PartitionOf(broker)], requireStable: true).AsTask();

    private static GroupPartition PartitionOf(Broker.Broker broker) => new(TopicOf(broker).Id, 0);

    private static ITopicHandle TopicOf(Broker.Broker broker) => broker.Topics.Find(TopicName.InDefault(Topic))!;

    public async Task StepAsync(SimProcess process, Broker.Broker broker, bool mayBegin)
    {
        switch (_phase)
        {
            case Phase.New:
                if (mayBegin) await InitialiseAsync(broker);
                break;
            case Phase.Idle:
                if (mayBegin) await BeginAsync(broker);
                break;
            case Phase.Open:
                await WorkAsync(process, broker, mayBegin);
                break;
            case Phase.Committing:
                await EndAsync(broker, commit: true);
                break;
            case Phase.Aborting:
                await EndAsync(broker, commit: false);
                break;
            case Phase.Recovering:
                await RecoverAsync(broker);
                break;
        }
    }

    private async Task InitialiseAsync(Broker.Broker broker)
    {
        // One's own attempt is one more; whoever else is between begin and end could come before or after.
        _attemptsAtStart = model.BeginAttempt(id) + 1;
        var answer = await broker.Transactions.InitialiseAsync(id, _timeoutMs, null);
        Note("initialise", answer.Status);
        model.EndAttempt(id);
        if (answer.Status == TransactionStatus.Ok)
        {
            model.NoteIdentity(id, answer.Producer);
            TakeIdentity(answer.Producer);
            coverage.Saw("took an id");
        }
        else
        {
            CheckMayTryAgain(answer.Status);
        }
    }

    private void TakeIdentity(ProducerIdentity identity)
    {
        _identity = identity;
        _sequences.Clear();
        _phase = Phase.Idle;
        _isUnsure = false;
    }

    /// <summary>Goes on under a new epoch, because it does not know which of its batches arrived (KIP-360).</summary>
    private async Task RecoverAsync(Broker.Broker broker)
    {
        var answer = await broker.Transactions.InitialiseAsync(id, _timeoutMs, _identity);
        Note("recover", answer.Status);
        if (answer.Status == TransactionStatus.Ok)
        {
            TransactionModel.Check(answer.Producer.Id == _identity.Id && answer.Producer.Epoch > _identity.Epoch, $"{id} goes on as itself");
            model.NoteIdentity(id, answer.Producer);
            TakeIdentity(answer.Producer);
            coverage.Saw("recovered with a new epoch");
        }
        else if (answer.Status == TransactionStatus.Fenced)
        {
            BeFenced(answer.Status);
        }
        else
        {
            CheckMayTryAgain(answer.Status);
        }
    }

    private async Task BeginAsync(Broker.Broker broker)
    {
        if (_current is null)
        {
            _current = model.Begin(id);
            _added.Clear();
            _asked.Clear();
        }
        await AddAsync(broker, random.Next(partitions));
    }

    private async Task AddAsync(Broker.Broker broker, int partition)
    {
        var wasFenced = model.IsFenced(id, _identity);
        _asked.Add(partition);
        var status = await broker.Transactions.AddPartitionsAsync(id, _identity, new[] { new TransactionPartition(TopicOf(broker).Id, partition) });
        Note($"add {partition}", status);
        if (status == TransactionStatus.Ok)
        {
            TransactionModel.Check(!wasFenced, $"{id} under {_identity}, which is fenced, cannot add partitions");
            _added.Add(partition);
            _phase = Phase.Open;
        }
        else
        {
            Judge(status);
        }
    }

    private async Task WorkAsync(SimProcess process, Broker.Broker broker, bool mayBegin)
    {
        if (_unanswered is { } again)
        {
            await SendAsync(broker, again.Partition, again.Batch, again.Value);
            return;
        }
        switch (mayBegin ? random.Next(20) : 0)
        {
            case 0 or 1 or 2:
                _current!.CommitAsked = true;
                _phase = Phase.Committing;
                break;
            case 3 or 4:
                _phase = Phase.Aborting;
                break;
            case 5 or 6:
                await AddAsync(broker, random.Next(partitions));
                break;
            case 7 or 8:
                await CommitOffsetAsync(broker);
                break;
            case 9 when random.OneIn(2):
                SendLate(process, broker);
                break;
            case 10 when random.OneIn(4):
                await SendOutsideAsync(broker);
                break;
            case 11:
                await sim.DelayAsync(TimeSpan.FromMilliseconds(random.Next(random.OneIn(4) ? 3000 : 50)));
                break;
            default:
                var (partition, batch, value) = MakeBatch();
                _unanswered = (partition, batch, value);
                await SendAsync(broker, partition, batch, value);
                break;
        }
    }

    private (int Partition, byte[] Batch, string Value) MakeBatch()
    {
        var partition = random.Pick([.. _added.Order()]);
        var sequence = _sequences.GetValueOrDefault(partition);
        var value = string.Create(CultureInfo.InvariantCulture, $"{_current!.Number}/{partition}/{_identity.Epoch}.{sequence}");
        return (partition, BatchOf(sequence, value), value);
    }

    private byte[] BatchOf(int sequence, string value)
    {
        using var builder = new RecordBatchBuilder();
        builder.Add(sim.Time.GetUtcNow().ToUnixTimeMilliseconds(), default, Encoding.UTF8.GetBytes(value + new string('.', random.Next(300))));
        return builder.Build(new BatchOptions { IsTransactional = true, Producer = new BatchProducer(_identity.Id, _identity.Epoch, sequence) }).ToArray();
    }

    private async Task SendAsync(Broker.Broker broker, int partition, byte[] batch, string value)
    {
        var wasFenced = model.IsFenced(id, _identity);
        var answer = await TopicOf(broker).Partitions[partition].AppendAsync((byte[])batch.Clone(), id);
        Note($"send {value}", answer.Status);
        switch (answer.Status)
        {
            case PartitionStatus.Ok or PartitionStatus.Duplicate:
                TransactionModel.Check(!wasFenced || answer.Status == PartitionStatus.Duplicate, $"{id} under {_identity}, which is fenced, cannot append");
                if (answer.Status == PartitionStatus.Duplicate) coverage.Saw("repeated a batch");
                _current!.Acknowledged.Add((partition, value));
                _sequences[partition] = _sequences.GetValueOrDefault(partition) + 1;
                _unanswered = null;
                break;
            case PartitionStatus.StaleProducerEpoch or PartitionStatus.UnknownProducer or PartitionStatus.NotInTransaction:
                CheckMayBeFenced(answer.Status.ToString());
                _unanswered = null;
                _isUnsure = true;
                _phase = Phase.Aborting;
                break;
            default:
                TransactionModel.Check(answer.Status is PartitionStatus.Full or PartitionStatus.CoordinatorBusy or PartitionStatus.Moved, $"{id} may try again after {answer.Status}: {answer.Message}");
                break;
        }
    }

    /// <summary>A batch whose answer is not waited for, and that may arrive when all is over: the producer aborts.</summary>
    private void SendLate(SimProcess process, Broker.Broker broker)
    {
        var (partition, batch, value) = MakeBatch();
        var delay = TimeSpan.FromMilliseconds(random.Next(2000));
        _isUnsure = true;
        _phase = Phase.Aborting;
        _ = process.Run("late batch", async () =>
        {
            await sim.DelayAsync(delay);
            var wasFenced = model.IsFenced(id, _identity);
            var answer = await TopicOf(broker).Partitions[partition].AppendAsync(batch, id);
            coverage.Saw($"a late batch: {answer.Status}");
            TransactionModel.Check(answer.Status != PartitionStatus.Ok || !wasFenced, $"the late {value} of {id}, which is fenced, is refused");
        });
    }

    /// <summary>A batch for a partition that nobody has asked to add.</summary>
    private async Task SendOutsideAsync(Broker.Broker broker)
    {
        var partition = random.Next(partitions);
        if (_asked.Contains(partition)) return;
        var answer = await TopicOf(broker).Partitions[partition].AppendAsync(BatchOf(_sequences.GetValueOrDefault(partition), "outside"), id);
        TransactionModel.Check(answer.Status is not (PartitionStatus.Ok or PartitionStatus.Duplicate), $"partition {partition} is not part of {_current}, and refuses");
        coverage.Saw("was refused outside of the transaction");
    }

    private async Task CommitOffsetAsync(Broker.Broker broker)
    {
        var wasFenced = model.IsFenced(id, _identity);
        var added = await broker.Transactions.AddGroupAsync(id, _identity, Group(id).Name);
        if (added != TransactionStatus.Ok)
        {
            Judge(added);
            return;
        }
        var answer = await broker.Transactions.CommitOffsetsAsync(
            id, _identity, Group(id).Name, GroupCaller.Outsider, [new(PartitionOf(broker), new CommittedOffset(_current!.Number, -1, ""))]);
        if (answer.Status != TransactionStatus.Ok)
        {
            Judge(answer.Status);
            return;
        }
        TransactionModel.Check(!wasFenced && answer.Group == GroupStatus.Ok, $"{id} commits offsets while it is not fenced");
        _current.HasOffset = true;
        coverage.Saw("committed offsets");
    }

    private async Task EndAsync(Broker.Broker broker, bool commit)
    {
        var wasFenced = model.IsFenced(id, _identity);
        var status = await broker.Transactions.EndAsync(id, _identity, commit);
        Note(commit ? "commit" : "abort", status);
        if (status != TransactionStatus.Ok)
        {
            // What timed out while a batch was on its way is over already.
            Judge(status);
            return;
        }
        TransactionModel.Check(!wasFenced, $"{id} under {_identity}, which is fenced, cannot end a transaction");
        _current!.IsCommitted = commit;
        _current = null;
        coverage.Saw(commit ? "committed" : "aborted");
        _phase = _isUnsure ? Phase.Recovering : Phase.Idle;
    }

    private void Note(string what, Enum status) => sim.Note($"{id} under {_identity.Id}.{_identity.Epoch}: {what}: {status}");

    private void Judge(TransactionStatus status)
    {
        if (status is TransactionStatus.Fenced or TransactionStatus.UnknownProducer) BeFenced(status);
        else CheckMayTryAgain(status);
    }

    private void BeFenced(TransactionStatus status)
    {
        CheckMayBeFenced(status.ToString());
        coverage.Saw("was fenced");
        _phase = Phase.Done;
    }

    private void CheckMayBeFenced(string status)
    {
        var timedOut = _current is not null && sim.Time.Elapsed - _current.Begun >= TimeSpan.FromMilliseconds(_timeoutMs - 1);
        TransactionModel.Check(timedOut || model.AttemptsOn(id) > _attemptsAtStart, $"{id} under {_identity} is told {status} although nobody took over and its time is not up");
    }

    private void CheckMayTryAgain(TransactionStatus status) =>
        TransactionModel.Check(status is TransactionStatus.Concurrent or TransactionStatus.Moved or TransactionStatus.Full, $"{id} in {_phase} may try again after {status}");
}
