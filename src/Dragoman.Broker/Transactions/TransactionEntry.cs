using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Transactions;

/// <summary>What the coordinator knows of a transactional id. Changed by events alone.</summary>
internal sealed class TransactionEntry(TransactionalId id)
{
    public TransactionalId Id { get; } = id;

    /// <summary>The producer as it is now. During the end of a transaction that fences, with the fencing epoch.</summary>
    public ProducerIdentity Producer { get; private set; } = ProducerIdentity.None;

    /// <summary>
    /// The epoch before the last bump that the producer itself asked for, or -1: who comes with it did not see the answer.
    /// </summary>
    public short LastEpoch { get; private set; } = -1;

    /// <summary>The producer id before the last change of it, or -1.</summary>
    public long PreviousProducerId { get; private set; } = -1;

    public int TimeoutMs { get; private set; }

    public TransactionState State { get; private set; }

    /// <summary>Number of the newest transaction among the producer's; it goes round after 2^31 - 1.</summary>
    public int Number { get; private set; }

    /// <summary>When the newest transaction began, in milliseconds since 1970; -1 if none has.</summary>
    public long StartedMs { get; private set; } = -1;

    public long UpdatedMs { get; private set; }

    public HashSet<TransactionPartition> Partitions { get; } = [];

    public SortedSet<string> Groups { get; } = new(StringComparer.Ordinal);

    /// <summary>Rises with every event of this life, so that a change in between is noticed.</summary>
    public long Changes { get; private set; }

    public bool IsEnding => State is TransactionState.PrepareCommit or TransactionState.PrepareAbort;

    /// <summary>The marker of a transaction that ends.</summary>
    public TransactionMarker Marker(ProducerIdentity producer, bool commit) => new(producer, Number, commit);

    public void Initialise(ProducerIdentity producer, short lastEpoch, int timeoutMs, long now)
    {
        Invariant.Check(!IsEnding && State != TransactionState.Ongoing, "a producer is initialised between transactions");
        if (producer.Id != Producer.Id)
        {
            PreviousProducerId = Producer.Id;
            Number = 0;
        }
        Producer = producer;
        LastEpoch = lastEpoch;
        TimeoutMs = timeoutMs;
        State = TransactionState.Empty;
        StartedMs = -1;
        Touch(now);
    }

    public void Join(ReadOnlySpan<TransactionPartition> partitions, string? group, long now)
    {
        Invariant.Check(!IsEnding, "nobody joins a transaction that ends");
        if (State != TransactionState.Ongoing)
        {
            State = TransactionState.Ongoing;
            StartedMs = now;
            Number = Number == int.MaxValue ? 0 : Number + 1;
        }
        foreach (var partition in partitions) Partitions.Add(partition);
        if (group is not null) Groups.Add(group);
        Touch(now);
    }

    public void End(short epoch, bool commit, bool completely, long now)
    {
        Invariant.Check(State == TransactionState.Ongoing, "only an open transaction is ended");
        Invariant.Check(epoch >= Producer.Epoch, "epochs only rise");
        if (epoch != Producer.Epoch) LastEpoch = -1;
        Producer = Producer with { Epoch = epoch };
        State = commit ? TransactionState.PrepareCommit : TransactionState.PrepareAbort;
        if (completely) Complete(now);
        else Touch(now);
    }

    public void Complete(long now)
    {
        Invariant.Check(IsEnding, "only a transaction that ends is completed");
        State = State == TransactionState.PrepareCommit ? TransactionState.CompleteCommit : TransactionState.CompleteAbort;
        Partitions.Clear();
        Groups.Clear();
        Touch(now);
    }

    private void Touch(long now)
    {
        UpdatedMs = now;
        Changes++;
    }

    public void Write(in SnapshotWriter writer)
    {
        TransactionEvents.WriteId(writer, Id);
        writer.Int64(Producer.Id);
        writer.Int32(Producer.Epoch);
        writer.Int32(LastEpoch);
        writer.Int64(PreviousProducerId);
        writer.Int32(TimeoutMs);
        writer.Byte((byte)State);
        writer.Int32(Number);
        writer.Int64(StartedMs);
        writer.Int64(UpdatedMs);
        writer.Int32(Partitions.Count);
        foreach (var partition in Partitions)
        {
            writer.Guid(partition.TopicId);
            writer.Int32(partition.Index);
        }
        writer.Int32(Groups.Count);
        foreach (var group in Groups) writer.Text(group);
    }

    public static TransactionEntry Read(ref SnapshotReader reader)
    {
        var entry = new TransactionEntry(TransactionEvents.ReadId(ref reader))
        {
            Producer = new ProducerIdentity(reader.Int64(), (short)reader.Int32()),
            LastEpoch = (short)reader.Int32(),
            PreviousProducerId = reader.Int64(),
            TimeoutMs = reader.Int32(),
            State = (TransactionState)reader.Byte(),
            Number = reader.Int32(),
            StartedMs = reader.Int64(),
            UpdatedMs = reader.Int64(),
        };
        for (var n = reader.Count(); n > 0; n--) entry.Partitions.Add(new TransactionPartition(reader.Guid(), reader.Int32()));
        for (var n = reader.Count(); n > 0; n--) entry.Groups.Add(reader.Text());
        return entry;
    }
}
