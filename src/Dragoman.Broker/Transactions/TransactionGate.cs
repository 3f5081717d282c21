namespace Dragoman.Broker.Transactions;

/// <summary>What partitions need to know of transactions: whom to ask.</summary>
internal sealed class TransactionGate(TransactionDefects defects)
{
    private volatile ITransactions? _coordinator;

    /// <summary>The coordinator; null until the broker has started.</summary>
    public ITransactions? Coordinator
    {
        get => _coordinator;
        set => _coordinator = value;
    }

    /// <summary>Mistakes that tests plant.</summary>
    public TransactionDefects Defects { get; } = defects;
}
