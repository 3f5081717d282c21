using Dragoman.Storage.Journal;

namespace Dragoman.Broker.Transactions;

/// <summary>
/// Gives a transactional id to whoever asks last (KIP-98), and to a producer that goes on after an error (KIP-360).
/// Each time the epoch rises; when there is none left, the id gets a new producer id.
/// </summary>
internal sealed class ProducerInitialisation(TransactionContext context, TransactionEnding ending)
{
    /// <summary>Kafka's clients send no longer ones, and a longer one would not fit where names are kept.</summary>
    private const int MaxIdLength = short.MaxValue;

    // How often a transaction that somebody has opened again is aborted before the caller has to ask again.
    private const int MaxAborts = 4;

    private enum Step
    {
        Answer,
        Allocate,
        Abort,
    }

    public async ValueTask<InitialiseAnswer> InitialiseAsync(TransactionalId id, int timeoutMs, ProducerIdentity? known, CancellationToken cancellation)
    {
        if (id.Name is not { Length: > 0 and <= MaxIdLength }) return Refuse(TransactionStatus.InvalidId);
        if (timeoutMs <= 0 || timeoutMs > context.Options.MaxTimeout.TotalMilliseconds) return Refuse(TransactionStatus.InvalidTimeout);
        var shard = context.ShardOf(id);
        var fresh = -1L;
        var aborts = 0;
        try
        {
            while (true)
            {
                if (context.IsStopped) return Refuse(TransactionStatus.Moved);
                var (step, answer) = await shard.ExecuteAsync(CommitMode.Fsync, commit =>
                {
                    if (context.IsStopped) return (Step.Answer, Refuse(TransactionStatus.Moved));
                    var entry = ((TransactionShard)shard.Machine).Find(id);
                    var (next, status, producer, lastEpoch) = Decide(entry, known, fresh);
                    if (next == Step.Answer && status == TransactionStatus.Ok && (entry is null || producer != entry.Producer))
                        shard.Emit(commit, TransactionEvents.Initialised(id, producer, lastEpoch, timeoutMs, context.Now));
                    return (next, new InitialiseAnswer(status, producer));
                }, TransactionEvents.FixedBytes + TransactionEvents.SizeOf(id), cancellation: cancellation);
                switch (step)
                {
                    case Step.Answer:
                        return answer;
                    case Step.Allocate:
                        fresh = await context.ProducerIds.AllocateAsync(cancellation);
                        break;
                    default:
                        // The transaction's markers bear an epoch that nobody was given: they fence at the partitions.
                        var ended = await ending.EndAsync(id, AbortAndFence, cancellation);
                        if (ended.Status != TransactionStatus.Ok) return Refuse(ended.Status);
                        if (!ended.IsComplete || ++aborts > MaxAborts) return Refuse(TransactionStatus.Concurrent);
                        // Whoever fences itself stays who it is.
                        if (known is not null && ended.Producer.Id >= 0) known = ended.Producer;
                        break;
                }
            }
        }
        catch (StorageFullException)
        {
            return Refuse(TransactionStatus.Full);
        }
        catch (StoreFailedException)
        {
            return Refuse(TransactionStatus.StorageError);
        }
    }

    private static InitialiseAnswer Refuse(TransactionStatus status) => new(status, ProducerIdentity.None);

    private EndDecision AbortAndFence(TransactionEntry? entry)
    {
        if (entry is not { State: TransactionState.Ongoing }) return EndDecision.Answer(TransactionStatus.Ok);
        return EndDecision.End(commit: false, context.Defects.ForgetFencing ? entry.Producer.Epoch : (short)(entry.Producer.Epoch + 1));
    }

    private (Step Step, TransactionStatus Status, ProducerIdentity Producer, short LastEpoch) Decide(TransactionEntry? entry, ProducerIdentity? known, long fresh)
    {
        if (entry is null) return WithNewId(fresh, -1);
        if (known is { } claimed && !MayBe(entry, claimed)) return Answer(TransactionStatus.Fenced);
        if (entry.IsEnding) return Answer(TransactionStatus.Concurrent);
        if (entry.State == TransactionState.Ongoing)
        {
            // One that is not the newest has no say in the newest one's transaction.
            if (known is { } other && other != entry.Producer) return Answer(TransactionStatus.Fenced);
            return (Step.Abort, TransactionStatus.Ok, ProducerIdentity.None, -1);
        }
        if (known is { } mine && mine != entry.Producer)
        {
            // Either its answer to this very request was lost, or another instance came in between.
            var isRepeated = mine.Id == entry.Producer.Id
                ? mine.Epoch == entry.LastEpoch && entry.LastEpoch >= 0
                : entry.Producer.Epoch == 0 && mine.Epoch == entry.LastEpoch;
            return isRepeated ? (Step.Answer, TransactionStatus.Ok, entry.Producer, entry.LastEpoch) : Answer(TransactionStatus.Fenced);
        }
        var lastEpoch = known is null ? (short)-1 : entry.Producer.Epoch;
        if (entry.Producer.Epoch >= ProducerIdentity.LastEpoch) return WithNewId(fresh, lastEpoch);
        if (context.Defects.ForgetFencing && known is null) return (Step.Answer, TransactionStatus.Ok, entry.Producer, -1);
        return (Step.Answer, TransactionStatus.Ok, entry.Producer with { Epoch = (short)(entry.Producer.Epoch + 1) }, lastEpoch);
    }

    /// <summary>Whether a producer can be the one that the id has now, or had before its last epoch was used up.</summary>
    private static bool MayBe(TransactionEntry entry, ProducerIdentity claimed) =>
        claimed.Id == entry.Producer.Id || (claimed.Id == entry.PreviousProducerId && claimed.Epoch >= ProducerIdentity.LastEpoch);

    private static (Step, TransactionStatus, ProducerIdentity, short) WithNewId(long fresh, short lastEpoch) =>
        fresh < 0 ? (Step.Allocate, TransactionStatus.Ok, ProducerIdentity.None, (short)-1) : (Step.Answer, TransactionStatus.Ok, new ProducerIdentity(fresh, 0), lastEpoch);

    private static (Step, TransactionStatus, ProducerIdentity, short) Answer(TransactionStatus status) => (Step.Answer, status, ProducerIdentity.None, -1);
}
