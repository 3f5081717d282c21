namespace Dragoman.Amqp.Wire.Methods;

// Transactions of a channel: class 90 (AMQP 0-9-1 XML specification, and RabbitMQ's extensions of it).

/// <summary>Makes the channel transactional.</summary>
internal struct TxSelect : IEmptyMethod<TxSelect>
{
    public static MethodId Id => new(90, 10);
}

/// <summary>It is.</summary>
internal struct TxSelectOk : IEmptyMethod<TxSelectOk>
{
    public static MethodId Id => new(90, 11);
}

/// <summary>Does all that was asked since the last commit.</summary>
internal struct TxCommit : IEmptyMethod<TxCommit>
{
    public static MethodId Id => new(90, 20);
}

/// <summary>It is done.</summary>
internal struct TxCommitOk : IEmptyMethod<TxCommitOk>
{
    public static MethodId Id => new(90, 21);
}

/// <summary>Forgets it.</summary>
internal struct TxRollback : IEmptyMethod<TxRollback>
{
    public static MethodId Id => new(90, 30);
}

/// <summary>It is forgotten.</summary>
internal struct TxRollbackOk : IEmptyMethod<TxRollbackOk>
{
    public static MethodId Id => new(90, 31);
}
