using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Offsets;

namespace Dragoman.Broker.Transactions;

/// <summary>What the coordinator says to a producer that wants its identity.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Producer">The producer's identity if all went well.</param>
public readonly record struct InitialiseAnswer(TransactionStatus Status, ProducerIdentity Producer);

/// <summary>What the coordinator says of a partition that got a batch of a transaction.</summary>
/// <param name="Status"><see cref="TransactionStatus.Ok"/> if the partition is part of the producer's open transaction.</param>
/// <param name="Transaction">That transaction's number.</param>
public readonly record struct VerifyAnswer(TransactionStatus Status, int Transaction);

/// <summary>The answer to offsets that are to be committed with a transaction.</summary>
/// <param name="Status">What the coordinator of the transaction says.</param>
/// <param name="Group">What the group says, if the coordinator has nothing against it.</param>
public readonly record struct TransactionalOffsetsAnswer(TransactionStatus Status, GroupStatus Group);

/// <summary>A transactional id, for people and tools.</summary>
/// <param name="Id">The id.</param>
/// <param name="State">Where its newest transaction stands.</param>
/// <param name="Producer">The producer.</param>
/// <param name="TimeoutMs">After how many milliseconds an open transaction is aborted.</param>
/// <param name="StartedMs">When the newest transaction began, in milliseconds since 1970; -1 if none has.</param>
/// <param name="Partitions">The partitions in it, while it is not complete.</param>
/// <param name="Groups">The groups whose offsets are committed with it, while it is not complete.</param>
public sealed record TransactionDescription(
    TransactionalId Id,
    TransactionState State,
    ProducerIdentity Producer,
    int TimeoutMs,
    long StartedMs,
    IReadOnlyList<TransactionPartition> Partitions,
    IReadOnlyList<string> Groups);

/// <summary>
/// The coordinator of transactions, wherever it lives: every answer may be <see cref="TransactionStatus.Moved"/>, and
/// comes when what it says is durable.
/// </summary>
public interface ITransactions
{
    /// <summary>
    /// Makes whoever asks the one producer of a transactional id. Older instances are fenced, and a transaction that
    /// one of them left open is aborted.
    /// </summary>
    /// <param name="id">The transactional id.</param>
    /// <param name="timeoutMs">After how many milliseconds a transaction is aborted that is still open.</param>
    /// <param name="known">The identity of a producer that goes on after an error (KIP-360): fenced if it is not the newest.</param>
    /// <param name="cancellation">Ends the wait for admission.</param>
    ValueTask<InitialiseAnswer> InitialiseAsync(TransactionalId id, int timeoutMs, ProducerIdentity? known, CancellationToken cancellation = default);

    /// <summary>Adds partitions to the producer's transaction, beginning one if none is open.</summary>
    ValueTask<TransactionStatus> AddPartitionsAsync(TransactionalId id, ProducerIdentity producer, ReadOnlyMemory<TransactionPartition> partitions, CancellationToken cancellation = default);

    /// <summary>Adds a group to the producer's transaction, beginning one if none is open: its offsets can be committed with it.</summary>
    ValueTask<TransactionStatus> AddGroupAsync(TransactionalId id, ProducerIdentity producer, string group, CancellationToken cancellation = default);

    /// <summary>
    /// Commits offsets of a group if and when the producer's transaction is committed. The group must have been added.
    /// </summary>
    ValueTask<TransactionalOffsetsAnswer> CommitOffsetsAsync(
        TransactionalId id, ProducerIdentity producer, string group, GroupCaller caller, IReadOnlyList<OffsetCommit> offsets, CancellationToken cancellation = default);

    /// <summary>Whether a partition is part of the producer's open transaction.</summary>
    ValueTask<VerifyAnswer> VerifyAsync(TransactionalId id, ProducerIdentity producer, TransactionPartition partition);

    /// <summary>
    /// Commits or aborts the producer's open transaction. From the answer on it will end so, whatever happens; where
    /// all that takes part in it is on this node, it has.
    /// </summary>
    ValueTask<TransactionStatus> EndAsync(TransactionalId id, ProducerIdentity producer, bool commit, CancellationToken cancellation = default);

    /// <summary>What is known of a transactional id; null if nothing is.</summary>
    TransactionDescription? Describe(TransactionalId id);

    /// <summary>All transactional ids that are known, in no order.</summary>
    IReadOnlyList<TransactionDescription> List();
}
