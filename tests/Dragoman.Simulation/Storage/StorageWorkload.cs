using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;
using Dragoman.Storage.Records;
using Dragoman.Storage.State;

namespace Dragoman.Simulation.Storage;

/// <summary>What the workers of one life do to a store, and what they expect of it.</summary>
internal sealed class StorageWorkload(SimScheduler sim, Store store, StorageModel model, SimRandom random, Coverage coverage, long stateId)
{
    private const int MaxLogs = 8;

    /// <summary>How compacted logs are compacted: often, and with tombstones that go soon.</summary>
    public static LogCompaction Compaction { get; } = new() { MinDirtyRatio = 0.2, TombstoneRetentionMs = 100, SealAfterMs = 300 };

    private readonly StateLog _state = store.GetState(stateId);

    public async Task RunAsync(int operations)
    {
        for (var i = 0; i < operations; i++)
        {
            try
            {
                await StepAsync();
            }
            catch (StorageFullException)
            {
                coverage.Saw("the disk was full");
                await sim.DelayAsync(TimeSpan.FromMilliseconds(100));
            }
            catch (StoreFailedException)
            {
                coverage.Saw("the store failed");
                return;
            }
        }
    }

    private async Task StepAsync()
    {
        var live = model.Live;
        switch (random.Next(28))
        {
            case 0 when live.Count < MaxLogs:
                await CreateAsync();
                break;
            case 1 when live.Count > 3:
                await DeleteAsync(random.Pick(live));
                break;
            case 2 or 3 when live.Count > 0:
                await TruncateAsync(random.Pick(live));
                break;
            case 4:
                await store.CheckpointAsync();
                coverage.Saw("checkpoint");
                break;
            case 5:
                await store.SyncAsync();
                break;
            case 6:
                await sim.DelayAsync(TimeSpan.FromMilliseconds(random.Next(300)));
                break;
            case 7 or 8 or 9 when live.Count > 0:
                Read(random.Pick(live));
                break;
            case 10:
                await store.CompactAsync();
                coverage.Saw("compacted");
                break;
            case 11 or 12 or 13 when live.FindAll(l => l.IsCompacted) is { Count: > 0 } compacted:
                await TransactAsync(random.Pick(compacted));
                break;
            default:
                if (live.Count == 0) await CreateAsync();
                else await AppendAsync(live);
                break;
        }
    }

    private CommitMode Mode() => random.OneIn(3) ? CommitMode.Written : CommitMode.Fsync;

    private async Task CreateAsync()
    {
        var commit = model.NewCommit(Mode());
        var store2 = await store.BeginAsync(commit.Mode, Store.TypicalCommandBytes);
        ValueTask done;
        lock (_state.Lock)
        {
            var log = store.CreateLog(store2, LogKind.Durable);
            var modelled = new StorageModel.Log(log.Id) { IsCompacted = random.OneIn(2) };
            if (modelled.IsCompacted) log.Compaction = Compaction;
            model.Logs.Add(log.Id, modelled);
            commit.Created.Add(modelled);
            Emit(store2, commit);
            done = Hand(store2, commit);
        }
        await done;
        commit.Acknowledged = true;
    }

    private async Task DeleteAsync(StorageModel.Log log)
    {
        var commit = model.NewCommit(Mode());
        var handle = await store.BeginAsync(commit.Mode, Store.TypicalCommandBytes);
        ValueTask done;
        lock (_state.Lock)
        {
            if (log.IsDeleted)
            {
                store.Abandon(handle);
                return;
            }
            Store.DeleteLog(handle, store.GetLog(log.Id));
            log.IsDeleted = true;
            commit.Deleted.Add(log);
            Emit(handle, commit);
            done = Hand(handle, commit);
        }
        await done;
        commit.Acknowledged = true;
        coverage.Saw("deleted a log");
    }

    private async Task TruncateAsync(StorageModel.Log log)
    {
        var real = store.GetLog(log.Id);
        var offset = real.StartOffset + random.Next((int)(real.HighWatermark - real.StartOffset) + 1);
        log.RequestedStart = Math.Max(log.RequestedStart, offset);
        await store.TruncateAsync(real, offset);
        log.AcknowledgedStart = Math.Max(log.AcknowledgedStart, offset);
        coverage.Saw("moved a start");
    }

    private async Task AppendAsync(List<StorageModel.Log> live)
    {
        var commit = model.NewCommit(Mode());
        var targets = new SortedDictionary<long, StorageModel.Log>();
        for (var n = random.OneIn(4) ? 3 : 1; n > 0; n--)
        {
            var log = random.OneIn(2) ? live[0] : random.Pick(live);
            targets[log.Id] = log;
        }
        var withEvent = random.OneIn(4);
        var shared = targets.Count > 1 && random.OneIn(2);
        var size = random.OneIn(20) ? random.Between(9_000, 30_000) : random.Between(10, 1500);
        var batches = new List<byte[]>();
        foreach (var _ in targets) batches.Add(shared && batches.Count > 0 ? batches[0] : MakeBatch(size));
        var handle = await store.BeginAsync(commit.Mode, batches.Sum(b => b.Length + 100) + 100);
        if (targets.Values.Any(l => l.IsDeleted))
        {
            store.Abandon(handle);
            return;
        }
        var logs = targets.Values.Select(l => store.GetLog(l.Id)).ToList();
        if (withEvent) _state.Lock.Enter();
        foreach (var log in logs) log.Lock.Enter();
        ValueTask done;
        try
        {
            if (withEvent) Emit(handle, commit);
            var first = -1;
            for (var i = 0; i < logs.Count; i++)
            {
                var log = targets[logs[i].Id];
                var isReference = shared && i > 0;
                if (i == 0) first = handle.Count;
                var offset = logs[i].Append(handle, batches[i], isReference ? first : -1);
                StorageRun.Check(offset == log.End, $"log {log.Id} gives out offset {offset}, not {log.End}");
                RecordBatchHeader.TryRead(batches[i], out var header);
                var batch = new StorageModel.Batch(offset, header.RecordCount, batches[i], commit);
                log.Batches.Add(offset, batch);
                log.End += header.RecordCount;
                commit.Batches.Add((log, batch));
                if (isReference) coverage.Saw("referred to a body");
            }
            done = Hand(handle, commit);
        }
        finally
        {
            foreach (var log in logs) log.Lock.Exit();
            if (withEvent) _state.Lock.Exit();
        }
        if (size > 8192) coverage.Saw("wrote fragments");
        await done;
        commit.Acknowledged = true;
        foreach (var (log, batch) in commit.Batches)
        {
            if (!log.IsDeleted) StorageRun.Check(store.GetLog(log.Id).HighWatermark > batch.BaseOffset, "what is acknowledged can be read");
        }
    }

    /// <summary>Goes on with a transaction in a compacted log, or ends it.</summary>
    private async Task TransactAsync(StorageModel.Log log)
    {
        var commit = model.NewCommit(Mode());
        var handle = await store.BeginAsync(commit.Mode, 10_000);
        if (log.IsDeleted)
        {
            store.Abandon(handle);
            return;
        }
        var real = store.GetLog(log.Id);
        long producer = random.Between(1, 3);
        ValueTask done;
        lock (real.Lock)
        {
            ControlRecordType? marker = null;
            if (log.HasOpenTransaction(producer) && random.OneIn(2)) marker = random.OneIn(2) ? ControlRecordType.Abort : ControlRecordType.Commit;
            var bytes = marker is { } type ? MakeMarker(producer, type) : MakeBatch(random.Between(10, 500), producer);
            var offset = real.Append(handle, bytes);
            RecordBatchHeader.TryRead(bytes, out var header);
            var batch = new StorageModel.Batch(offset, header.RecordCount, bytes, commit) { Producer = producer, Marker = marker };
            log.Batches.Add(offset, batch);
            log.End += header.RecordCount;
            commit.Batches.Add((log, batch));
            done = Hand(handle, commit);
            coverage.Saw(marker is null ? "appended to a transaction" : $"ended a transaction: {marker}");
        }
        await done;
        commit.Acknowledged = true;
    }

    private byte[] MakeMarker(long producer, ControlRecordType type)
    {
        using var builder = new RecordBatchBuilder();
        return new EndTransactionMarker(type, 0).Build(builder, producer, 0, sim.Time.GetUtcNow().ToUnixTimeMilliseconds()).ToArray();
    }

    private void Emit(Commit handle, StorageModel.Commit commit)
    {
        _state.Emit(handle, EventLog.Event(commit.Number));
        commit.HasEvent = true;
    }

    private ValueTask Hand(Commit handle, StorageModel.Commit commit)
    {
        var done = store.Enqueue(handle);
        model.Commits.Add(commit);
        return done;
    }

    private byte[] MakeBatch(int size, long producer = -1)
    {
        using var builder = new RecordBatchBuilder();
        var time = sim.Time.GetUtcNow().ToUnixTimeMilliseconds();
        for (var n = random.Between(1, 3); n > 0; n--)
        {
            var value = new byte[size];
            random.Fill(value);
            var key = BitConverter.GetBytes(random.Next(24));
            if (random.OneIn(4)) builder.Add(time, key, default(NullableBytes));
            else builder.Add(time, key, value);
        }
        var options = new BatchOptions { Codec = random.OneIn(8) ? CompressionCodec.Lz4 : CompressionCodec.None };
        if (producer >= 0) options = options with { IsTransactional = true, Producer = new BatchProducer(producer, 0, 0) };
        return builder.Build(options).ToArray();
    }

    private void Read(StorageModel.Log log)
    {
        var real = store.GetLog(log.Id);
        if (real.HighWatermark == real.StartOffset) return;
        using var read = new LogRead();
        var from = real.StartOffset + random.Next((int)(real.HighWatermark - real.StartOffset));
        real.Read(from, real.HighWatermark, random.Between(1, 4000), read);
        StorageRun.Check(read.TotalBytes > 0, $"log {log.Id} has something to read at {from}, before {real.HighWatermark}");
        try { Compare(log, real.CleanUpTo, read, from, coverage); } catch (SimulationFailedException e) { throw new SimulationFailedException(e.Message + $" start {real.StartOffset} hw {real.HighWatermark} next {read.NextOffset} total {read.TotalBytes} first {read.FirstOffset}: " + string.Join(" ", real.Chunks.Select(c => $"[{c.GetType().Name} {c.BaseOffset}-{c.EndOffset} {c.DataBytes}]")) + " model: " + string.Join(" ", log.Batches.Values.Select(b => $"{b.BaseOffset}+{b.Records}({b.Bytes.Length})")), e); }
    }

    public void VerifyAll()
    {
        foreach (var log in model.Live) VerifyLog(store, log, atRest: false);
    }

    /// <summary>Reads a log from its start to its end and holds every byte against the model.</summary>
    public static void VerifyLog(Store store, StorageModel.Log log, bool atRest)
    {
        var real = store.GetLog(log.Id);
        StorageRun.Check(real.StartOffset >= log.AcknowledgedStart, $"log {log.Id} starts at {real.StartOffset}, before {log.AcknowledgedStart}");
        StorageRun.Check(real.StartOffset <= log.RequestedStart, $"log {log.Id} starts at {real.StartOffset}, and nobody asked for more than {log.RequestedStart}");
        if (atRest) StorageRun.Check(real.HighWatermark == log.End && real.EndOffset == log.End, $"log {log.Id} ends at {real.HighWatermark}, not {log.End}");
        using var read = new LogRead();
        var bytes = 0L;
        var found = new List<byte[]>();
        for (var offset = real.StartOffset; offset < real.HighWatermark; offset = read.NextOffset)
        {
            real.Read(offset, real.HighWatermark, 3000, read);
            StorageRun.Check(read.TotalBytes > 0 && read.NextOffset > offset, $"log {log.Id} has something to read at {offset}, before {real.HighWatermark}");
            found.AddRange(Compare(log, real.CleanUpTo, read, offset));
            bytes += read.TotalBytes;
        }
        StorageRun.Check(real.SizeBytes >= bytes, $"log {log.Id} says that it has {real.SizeBytes} bytes, and {bytes} were read");
        if (log.IsCompacted) CompactedLog.Verify(real, log, found);
    }

    /// <summary>Holds what was read against what was sent; returns the batches.</summary>
    private static List<byte[]> Compare(StorageModel.Log log, long cleanUpTo, LogRead read, long from, Coverage? coverage = null)
    {
        var found = new List<byte[]>();
        var bytes = new byte[read.TotalBytes];
        read.CopyTo(bytes);
        var batches = new RecordBatches(bytes);
        var expected = -1L;
        while (batches.MoveNext())
        {
            var header = batches.CurrentHeader;
            found.Add(batches.Current.ToArray());
            if (expected < 0) StorageRun.Check(from <= header.LastOffset && (header.BaseOffset <= from || from < cleanUpTo), $"a read of log {log.Id} at {from} begins with the batch that holds it, not with {header.BaseOffset}");
            else StorageRun.Check(header.BaseOffset == expected || (expected < header.BaseOffset && expected < cleanUpTo), $"offset {expected} of log {log.Id} is followed by {header.BaseOffset}");
            if (expected >= 0 && header.BaseOffset > expected) coverage?.Saw("read across a gap");
            if (header.RecordCount == 0) coverage?.Saw("read an emptied batch");
            expected = header.LastOffset + 1;
            StorageRun.Check(log.Batches.TryGetValue(header.BaseOffset, out var sent), $"offset {header.BaseOffset} of log {log.Id} was sent");
            if (header.BaseOffset < cleanUpTo)
            {
                CompactedLog.CheckIsPart(found[^1], sent!.Bytes, header.BaseOffset);
                continue;
            }
            var same = batches.Current[16..].SequenceEqual(sent!.Bytes.AsSpan(16)) && batches.Current[8..12].SequenceEqual(sent.Bytes.AsSpan(8, 4));
            StorageRun.Check(same, $"the batch at {header.BaseOffset} of log {log.Id} is what was sent");
        }
        var whole = expected == read.NextOffset || (expected < read.NextOffset && expected < cleanUpTo);
        StorageRun.Check(batches.Error == BatchError.None && whole, $"a read of log {log.Id} ends at {expected}, not {read.NextOffset}");
        return found;
    }
}
