namespace Dragoman.Broker.Transactions;

/// <summary>A partition that takes part in a transaction. A topic that is created anew under its name is another one.</summary>
/// <param name="TopicId">The topic's id.</param>
/// <param name="Index">The partition's index.</param>
public readonly record struct TransactionPartition(Guid TopicId, int Index);
