using Dragoman.Broker.Transactions;

namespace Dragoman.Simulation.Transactions;

/// <summary>A transaction as its producer knows it.</summary>
internal sealed class ModelTransaction(int number, TransactionalId id, TimeSpan begun)
{
    public int Number { get; } = number;

    public TransactionalId Id { get; } = id;

    public TimeSpan Begun { get; } = begun;

    /// <summary>What the broker said that it has.</summary>
    public List<(int Partition, string Value)> Acknowledged { get; } = [];

    /// <summary>Whether its offset was taken.</summary>
    public bool HasOffset { get; set; }

    /// <summary>Whether the producer has ever asked for a commit: nothing may be visible before that.</summary>
    public bool CommitAsked { get; set; }

    /// <summary>What the broker said that became of it; null if it never said.</summary>
    public bool? IsCommitted { get; set; }

    public override string ToString() => $"transaction {Number} of {Id}";
}

/// <summary>What must be true of all transactions together.</summary>
internal sealed class TransactionModel(SimScheduler sim)
{
    private readonly Dictionary<TransactionalId, int> _attempts = [];
    private readonly Dictionary<TransactionalId, int> _ended = [];
    private readonly Dictionary<TransactionalId, ProducerIdentity> _newest = [];
    private readonly HashSet<ProducerIdentity> _given = [];

    public List<ModelTransaction> All { get; } = [];

    public ModelTransaction Begin(TransactionalId id)
    {
        var transaction = new ModelTransaction(All.Count + 1, id, sim.Time.Elapsed);
        All.Add(transaction);
        return transaction;
    }

    /// <summary>How many others have tried to take an id over, or may be at it.</summary>
    public int AttemptsOn(TransactionalId id) => _attempts.GetValueOrDefault(id);

    /// <summary>Takes in that somebody begins to take an id over.</summary>
    /// <returns>Attempts from this one on may fence whoever makes this one: the number of those that ended before.</returns>
    public int BeginAttempt(TransactionalId id)
    {
        _attempts[id] = AttemptsOn(id) + 1;
        return _ended.GetValueOrDefault(id);
    }

    /// <summary>Takes in that such an attempt got its answer. One that never does may still have had its effect.</summary>
    public void EndAttempt(TransactionalId id) => _ended[id] = _ended.GetValueOrDefault(id) + 1;

    /// <summary>Takes in that an instance has got an identity: nobody else has it, and older ones are fenced from now on.</summary>
    public void NoteIdentity(TransactionalId id, ProducerIdentity identity)
    {
        Check(_given.Add(identity), $"{identity} of {id} belongs to one instance");
        if (IsNewer(identity, _newest.GetValueOrDefault(id, ProducerIdentity.None))) _newest[id] = identity;
    }

    /// <summary>Whether a newer instance knows that it is the one.</summary>
    public bool IsFenced(TransactionalId id, ProducerIdentity identity) => IsNewer(_newest.GetValueOrDefault(id, ProducerIdentity.None), identity);

    private static bool IsNewer(ProducerIdentity identity, ProducerIdentity than) =>
        identity.Id != than.Id ? identity.Id > than.Id : identity.Epoch > than.Epoch;

    public static void Check(bool condition, string rule)
    {
        if (!condition) throw new SimulationFailedException($"Broken: {rule}.");
    }
}
