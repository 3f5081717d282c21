using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Channels;

/// <summary>
/// Follows the log of a topic from the moment on at which somebody began to listen, and lets the listeners hear what is
/// committed there. It reads up to the last stable offset: what an open transaction may take back is not heard. What
/// cannot be read is said, and tried again by and by.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "It gives its memory back after each stretch that it has read.")]
internal sealed class ChannelTail(ITopicHandle topic, byte[] channel, ChannelSpace space, IScheduler scheduler, TimeProvider time, Action<TopicName, int, Exception> stalled) : IThreadPoolWorkItem, ILogListener
{
    private const int ReadBytes = 256 * 1024;

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly Lock _lock = new();
    private readonly List<Place> _places = [];
    private readonly LogRead _read = new();
    private readonly RecordBatchReader _reader = new();
    private readonly List<AbortedTransaction> _aborted = [];
    private readonly ChannelRun _run = new();
    private bool _isRunning;
    private bool _again;
    private volatile bool _stopped;

    private TimeSpan _pause = FirstPause;

    private sealed class Place(IPartitionHandle partition, int index, long next)
    {
        public IPartitionHandle Partition { get; } = partition;

        public int Index { get; } = index;

        /// <summary>Why it could not be read last; null if it could.</summary>
        public Exception? Problem { get; set; }

        public long Next { get; set; } = next;
    }

    public ITopicHandle Topic { get; } = topic;

    /// <summary>Follows the partitions that it does not follow yet.</summary>
    public void Follow()
    {
        lock (_lock)
        {
            // Partitions that are added later are followed from their beginning: nobody has published there before.
            var isFirst = _places.Count == 0;
            for (var i = _places.Count; i < Topic.Partitions.Count; i++)
            {
                var partition = Topic.Partitions[i];
                if (!partition.TryGetOffsets(out var offsets)) return;
                partition.AddListener(this);
                _places.Add(new Place(partition, i, isFirst ? offsets.HighWatermark : offsets.Start));
            }
        }
        OnChanged(0);
    }

    /// <summary>Lets go of the log.</summary>
    public void Stop()
    {
        _stopped = true;
        lock (_lock)
        {
            foreach (var place in _places) place.Partition.RemoveListener(this);
        }
    }

    /// <inheritdoc/>
    public void OnChanged(long logId)
    {
        lock (_lock)
        {
            _again = true;
            if (_isRunning || _stopped) return;
            _isRunning = true;
        }
        scheduler.Post(this);
    }

    void IThreadPoolWorkItem.Execute() => _ = RunAsync();

    private async Task RunAsync()
    {
        while (true)
        {
            Place[] places;
            lock (_lock)
            {
                if (!_again || _stopped)
                {
                    _isRunning = false;
                    return;
                }
                _again = false;
                places = [.. _places];
            }
            foreach (var place in places)
                while (!_stopped && await TryReadAsync(place)) { }
            if (Array.TrueForAll(places, static p => p.Problem is null))
            {
                _pause = FirstPause;
                continue;
            }
            // Whoever listens has to hear it although nothing more may be published.
            await Task.Delay(_pause, time);
            _pause = _pause + _pause < LongestPause ? _pause + _pause : LongestPause;
            lock (_lock) _again = true;
        }
    }

    /// <summary>Reads a stretch of a partition; false if there is nothing to read now, or it could not be read.</summary>
    private async ValueTask<bool> TryReadAsync(Place place)
    {
        try
        {
            var more = await ReadAsync(place);
            place.Problem = null;
            return more;
        }
        catch (IOException error)
        {
            var isNew = place.Problem is null;
            place.Problem = error;
            if (isNew) stalled(Topic.Name, place.Index, error);
            return false;
        }
    }

    /// <summary>Reads a stretch of a partition; false if there is nothing to read now.</summary>
    private async ValueTask<bool> ReadAsync(Place place)
    {
        var status = await place.Partition.ReadStableAsync(place.Next, ReadBytes, _read, _aborted);
        using (_read)
        {
            switch (status)
            {
                case PartitionStatus.Ok when _read.TotalBytes > 0:
                    return Publish(place);
                case PartitionStatus.OffsetOutOfRange when place.Partition.TryGetOffsets(out var offsets) && offsets.Start > place.Next:
                    // Retention was faster than whoever listens.
                    place.Next = offsets.Start;
                    return true;
                case PartitionStatus.StorageError:
                    throw new IOException("The log could not be read.");
                default:
                    // A topic that is gone ends the tail.
                    return false;
            }
        }
    }

    private bool Publish(Place place)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(_read.TotalBytes);
        try
        {
            var length = _read.TotalBytes;
            _read.CopyTo(bytes.AsSpan(0, length));
            for (var at = 0; at < length;)
            {
                var error = _reader.Open(bytes.AsMemory(at, length - at));
                Invariant.Check(error == BatchError.None, "a log holds whole batches that can be read");
                var header = _reader.Header;
                at += (int)header.TotalSize;
                if (!IsHidden(header)) PublishBatch(place);
                place.Next = Math.Max(place.Next, header.LastOffset + 1);
            }
            return true;
        }
        finally
        {
            _reader.Dispose();
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private void PublishBatch(Place place)
    {
        var records = _reader.Records;
        while (records.MoveNext())
        {
            ref readonly var record = ref records.Current;
            if (record.Offset < place.Next) continue;
            // A record without a value is heard as an empty message.
            space.Publish(channel, record.Value.Span, _run);
        }
        _run.End();
    }

    private bool IsHidden(in RecordBatchHeader header)
    {
        if (header.IsControl) return true;
        if (!header.IsTransactional) return false;
        foreach (var aborted in _aborted)
            if (aborted.ProducerId == header.ProducerId && header.BaseOffset >= aborted.FirstOffset && header.BaseOffset <= aborted.LastOffset) return true;
        return false;
    }
}
