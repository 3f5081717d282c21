namespace Dragoman.Broker.Transactions;

/// <summary>
/// Locks that one commit needs at once. Whoever enters them does so in the order that all keep: states by id, then logs
/// by id. They are left in the opposite order; being a ref struct, none is held across an await.
/// </summary>
internal ref struct LockSet(int capacity)
{
    private readonly Lock[] _entered = new Lock[capacity];
    private int _count;

    /// <summary>Enters one more.</summary>
    public void Enter(Lock next)
    {
        next.Enter();
        _entered[_count++] = next;
    }

    /// <summary>Leaves all.</summary>
    public void Dispose()
    {
        while (_count > 0) _entered[--_count].Exit();
    }
}
