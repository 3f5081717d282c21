using System.Text;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;
using Dragoman.Storage.State;
using Dragoman.Storage.Tests.Platform;
using Microsoft.Extensions.Time.Testing;

namespace Dragoman.Storage.Tests.Log;

/// <summary>One compacted log in a real store, a record of all that was appended to it, and what must hold of it.</summary>
internal sealed class CompactionStory : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = new();
    private readonly Dictionary<long, int> _sequences = [];
    private readonly HashSet<long> _open = [];
    private long _logId;

    public FakeTimeProvider Time { get; } = new(DateTimeOffset.FromUnixTimeMilliseconds(1_700_000_000_000));

    public LogCompaction Settings { get; set; } = new() { TombstoneRetentionMs = 1000 };

    public long KeyBytes { get; set; } = 1 << 20;

    public Store Store { get; private set; } = null!;

    public PartitionLog Log { get; private set; } = null!;

    public List<Sent> Batches { get; } = [];

    private long Now => Time.GetUtcNow().ToUnixTimeMilliseconds();

    public sealed record SentRecord(long Offset, string? Key, string? Value, long Timestamp);

    public sealed record Sent(long BaseOffset, byte[] Bytes, List<SentRecord> Records, long ProducerId, bool IsTransactional, ControlRecordType? Marker)
    {
        /// <summary>Null while the transaction is open.</summary>
        public bool? IsAborted { get; set; }

        public long LastOffset => BaseOffset + Math.Max(Records.Count, 1) - 1;

        /// <summary>When it was first seen to have been compacted.</summary>
        public long FirstCleaned { get; set; } = long.MaxValue;
    }

    public static async Task<CompactionStory> BeginAsync(Action<CompactionStory>? prepare = null)
    {
        var story = new CompactionStory();
        prepare?.Invoke(story);
        await story.OpenAsync();
        var commit = await story.Store.BeginAsync(CommitMode.Written, Store.TypicalCommandBytes);
        var log = story.Store.CreateLog(commit, LogKind.Durable);
        await story.Store.Enqueue(commit);
        story._logId = log.Id;
        story.Find();
        return story;
    }

    private async Task OpenAsync()
    {
        var options = new StoreOptions
        {
            Directory = _directory.Path,
            JournalFileBytes = 128 << 10,
            HeadroomBytes = 1 << 20,
            ReserveBytes = 16 << 10,
            OwnSegmentBytes = 4 << 10,
            PromoteBytes = 8 << 10,
            TailBytes = 64 << 10,
            MaxRoundBytes = 16 << 10,
            CompactionKeyBytes = KeyBytes,
            CompactionBytesPerSecond = 1L << 40,
            MaintenanceInterval = TimeSpan.FromDays(1),
            CompactionInterval = TimeSpan.FromDays(1),
        };
        Store = await new StoreOpener(options, new OsFileSystem(), Time, ThreadPoolScheduler.Instance, new Random(1), new Dictionary<long, IStateMachine>()).OpenAsync();
        if (_logId != 0) Find();
    }

    private void Find()
    {
        Log = Store.GetLog(_logId);
        Log.Compaction = Settings;
    }

    public async Task ReopenAsync()
    {
        await Store.DisposeAsync();
        await OpenAsync();
    }

    /// <summary>Appends a batch of records; a null value is a tombstone.</summary>
    public async Task AppendAsync(
        IReadOnlyList<(string? Key, string? Value)> records, long producer = -1, bool transactional = false, CompressionCodec codec = CompressionCodec.None, bool appendTime = false, long? timestamp = null)
    {
        var time = timestamp ?? Now;
        using var builder = new RecordBatchBuilder();
        foreach (var (key, value) in records) builder.Add(time, Bytes(key), Bytes(value));
        var sequence = producer < 0 ? -1 : _sequences.GetValueOrDefault(producer);
        if (producer >= 0) _sequences[producer] = sequence + records.Count;
        var bytes = builder.Build(new BatchOptions
        {
            Codec = codec,
            Producer = producer < 0 ? null : new BatchProducer(producer, 0, sequence),
            IsTransactional = transactional,
            LogAppendTimestamp = appendTime ? Now : null,
        }).ToArray();
        if (transactional) _open.Add(producer);
        var offset = await AppendAsync(bytes);
        var sent = records.Select((r, i) => new SentRecord(offset + i, r.Key, r.Value, time)).ToList();
        Batches.Add(new Sent(offset, bytes, sent, producer, transactional, null) { IsAborted = transactional ? null : false });
    }

    public bool HasOpenTransaction(long producer) => _open.Contains(producer);

    public async Task EndTransactionAsync(long producer, bool abort)
    {
        using var builder = new RecordBatchBuilder();
        var type = abort ? ControlRecordType.Abort : ControlRecordType.Commit;
        var bytes = new EndTransactionMarker(type, 0).Build(builder, producer, 0, Now).ToArray();
        var offset = await AppendAsync(bytes);
        _open.Remove(producer);
        foreach (var batch in Batches)
            if (batch.ProducerId == producer && batch.IsTransactional) batch.IsAborted ??= abort;
        Batches.Add(new Sent(offset, bytes, [], producer, true, type) { IsAborted = false });
    }

    private async Task<long> AppendAsync(byte[] bytes)
    {
        var commit = await Store.BeginAsync(CommitMode.Written, bytes.Length + 100);
        long offset;
        ValueTask done;
        lock (Log.Lock)
        {
            offset = Log.Append(commit, bytes);
            done = Store.Enqueue(commit);
        }
        await done;
        return offset;
    }

    private static byte[]? Bytes(string? text) => text is null ? null : Encoding.UTF8.GetBytes(text);

    private static string? Text(byte[]? bytes) => bytes is null ? null : Encoding.UTF8.GetString(bytes);

    /// <summary>Compacts all that can be and checks what must hold then.</summary>
    public async Task CompactAsync()
    {
        await Store.CompactAsync();
        Verify();
        var end = Log.CleanUpTo;
        var found = Read().ToDictionary(b => b.Base);
        // Below the clean end, of each key only the newest record is left, and nothing that was taken back.
        var newest = new Dictionary<string, long>();
        foreach (var record in Committed())
            if (record.Key is not null && record.Offset < end) newest[record.Key] = record.Offset;
        foreach (var batch in Batches)
        {
            if (!found.TryGetValue(batch.BaseOffset, out var there)) continue;
            foreach (var record in there.Records)
            {
                if (record.Offset >= end) continue;
                Assert.NotNull(record.Key);
                Assert.False(batch.IsAborted, $"{record} was taken back");
                Assert.True(newest[record.Key!] <= record.Offset, $"{record} is not the newest of its key");
            }
        }
        foreach (var batch in Batches)
            if (batch.LastOffset < end && batch.FirstCleaned == long.MaxValue) batch.FirstCleaned = Now;
    }

    private IEnumerable<SentRecord> Committed() => Batches.Where(b => b.IsAborted == false).SelectMany(b => b.Records);

    public sealed record Found(long Base, byte[] Bytes, List<SentRecord> Records);

    public List<Found> Read()
    {
        var found = new List<Found>();
        using var read = new LogRead();
        for (var offset = Log.StartOffset; offset < Log.HighWatermark; offset = read.NextOffset)
        {
            Log.Read(offset, Log.HighWatermark, 700, read);
            Assert.True(read.TotalBytes > 0 && read.NextOffset > offset, $"a reader is stuck at {offset}, before {Log.HighWatermark}");
            var bytes = new byte[read.TotalBytes];
            read.CopyTo(bytes);
            var batches = new RecordBatches(bytes);
            while (batches.MoveNext())
            {
                var batch = batches.Current.ToArray();
                Assert.Equal(BatchError.None, RecordBatchValidator.Validate(batch, new BatchLimits(), out _));
                var header = batches.CurrentHeader;
                Assert.True(header.LastOffset >= offset, "a read begins with the batch that holds the offset, or the first after it");
                found.Add(new Found(header.BaseOffset, batch, header.IsControl ? [] : Records(batch)));
            }
            Assert.Equal(BatchError.None, batches.Error);
        }
        return found;
    }

    private static List<SentRecord> Records(byte[] batch)
    {
        using var reader = new RecordBatchReader();
        Assert.Equal(BatchError.None, reader.Open(batch));
        var records = new List<SentRecord>();
        var walk = reader.Records;
        while (walk.MoveNext())
            records.Add(new SentRecord(walk.Current.Offset, Text(walk.Current.Key.ToArray()), Text(walk.Current.Value.ToArray()), walk.Current.Timestamp));
        Assert.Equal(BatchError.None, walk.Error);
        return records;
    }

    /// <summary>Checks what must hold at any time.</summary>
    public void Verify()
    {
        var end = Log.CleanUpTo;
        var found = Read();
        var byBase = found.ToDictionary(b => b.Base);
        var sent = Batches.ToDictionary(b => b.BaseOffset);
        foreach (var batch in found)
        {
            Assert.True(sent.TryGetValue(batch.Base, out var was), $"nothing was appended at {batch.Base}");
            RecordBatchHeader.TryRead(batch.Bytes, out var now);
            RecordBatchHeader.TryRead(was.Bytes, out var before);
            Assert.Equal(before.LastOffsetDelta, now.LastOffsetDelta);
            Assert.Equal((before.ProducerId, before.ProducerEpoch, before.BaseSequence), (now.ProducerId, now.ProducerEpoch, now.BaseSequence));
            Assert.Equal((before.IsControl, before.IsTransactional, before.TimestampType), (now.IsControl, now.IsTransactional, now.TimestampType));
            if (now.RecordCount > 0) Assert.Equal(before.Codec, now.Codec);
            Assert.All(batch.Records, r => Assert.Contains(r, was.Records));
            if (batch.Base >= end) Assert.True(batch.Bytes.AsSpan(16).SequenceEqual(was.Bytes.AsSpan(16)), $"the batch at {batch.Base} lies behind what was compacted and is not what was appended");
        }
        foreach (var batch in Batches.Where(b => b.BaseOffset >= end)) Assert.True(byBase.ContainsKey(batch.BaseOffset), $"the batch at {batch.BaseOffset} was never compacted and is gone");

        // The newest record of each key is there; a tombstone may go after its time.
        var kept = found.SelectMany(b => b.Records).ToHashSet();
        var newest = new Dictionary<string, SentRecord>();
        foreach (var record in Committed())
            if (record.Key is not null) newest[record.Key] = record;
        foreach (var record in newest.Values)
        {
            var batch = Batches.Single(b => b.BaseOffset <= record.Offset && record.Offset <= b.LastOffset);
            var mayBeGone = record.Value is null && batch.FirstCleaned != long.MaxValue && Now >= batch.FirstCleaned + Settings.TombstoneRetentionMs;
            if (!mayBeGone) Assert.True(kept.Contains(record), $"{record}, the newest of its key, is gone");
        }

        // A producer's last batch is there for its sequence.
        foreach (var producer in Batches.Where(b => b.ProducerId >= 0 && b.Marker is null).GroupBy(b => b.ProducerId))
            Assert.True(byBase.ContainsKey(producer.Last().BaseOffset), $"the last batch of producer {producer.Key} is gone");

        VerifyReaders(found, newest);
        VerifyProducers();
    }

    /// <summary>Reads as a read-committed consumer does, and builds what a compacted topic stands for: a table.</summary>
    private void VerifyReaders(List<Found> found, Dictionary<string, SentRecord> newest)
    {
        List<AbortedTransaction> aborted;
        lock (Log.Lock) aborted = [.. Log.Producers.Aborted];
        aborted.Sort(static (a, b) => a.FirstOffset.CompareTo(b.FirstOffset));
        var stable = Log.LastStableOffset;
        var skipping = new HashSet<long>();
        var table = new Dictionary<string, string?>();
        foreach (var batch in found.Where(b => b.Base < stable))
        {
            RecordBatchHeader.TryRead(batch.Bytes, out var header);
            while (aborted.Count > 0 && aborted[0].FirstOffset <= header.LastOffset)
            {
                skipping.Add(aborted[0].ProducerId);
                aborted.RemoveAt(0);
            }
            if (header.IsControl)
            {
                if (ControlMarker.IsAbort(batch.Bytes)) skipping.Remove(header.ProducerId);
                continue;
            }
            if (header.IsTransactional && skipping.Contains(header.ProducerId)) continue;
            foreach (var record in batch.Records)
                if (record.Key is not null) table[record.Key] = record.Value;
        }
        var expected = new Dictionary<string, string>();
        foreach (var record in Committed())
        {
            if (record.Offset >= stable || record.Key is null) continue;
            if (record.Value is null) expected.Remove(record.Key);
            else expected[record.Key] = record.Value;
        }
        Assert.Equal(expected.OrderBy(e => e.Key), table.Where(e => e.Value is not null).OrderBy(e => e.Key)!);
        Assert.NotNull(newest);
    }

    private void VerifyProducers()
    {
        foreach (var producer in Batches.Where(b => b.ProducerId >= 0 && b.Marker is null).GroupBy(b => b.ProducerId))
        {
            var last = producer.Last();
            RecordBatchHeader.TryRead(last.Bytes, out var header);
            lock (Log.Lock)
            {
                Assert.Equal(ProducerCheck.Duplicate, Log.Producers.Check(header, out var offset, out _));
                Assert.Equal(last.BaseOffset, offset);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        _directory.Dispose();
    }
}
