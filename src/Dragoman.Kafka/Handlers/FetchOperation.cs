using System.Runtime.CompilerServices;
using Dragoman.Broker.Quotas;
using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;
using Dragoman.Storage.Log;
using Dragoman.Storage.Platform;

namespace Dragoman.Kafka.Handlers;

/// <summary>
/// A Fetch request under way. One object per connection serves them one after the other. Where too little is there, it
/// listens to the logs, with one timer, and looks again when one of them has changed.
/// </summary>
internal sealed class FetchOperation : ILogListener, IDisposable
{
    // Answers with less than this are written in one go.
    private const int StreamFrom = 32 * 1024;
    private const short FirstWithZstd = 10;

    private readonly KafkaSession _session;
    private readonly List<Part> _parts = [];
    private readonly List<AbortedTransaction> _aborted = [];
    private readonly Stack<StoredRecords> _spare = new();
    private readonly WakeSignal _wake = new();
    private readonly Release _release;
    private ITimer? _timer;
    private FetchRequest _request = new();
    private short _version;
    private int _first;
    private long _found;
    private int _mostBytes;

    public FetchOperation(KafkaSession session)
    {
        _session = session;
        _release = new Release(this);
    }

    private TimeProvider Time => _session.FrontEnd.Broker.Time;

    /// <summary>Does a request. What it found stays in place until the request's resources are disposed.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<FetchResponse?> RunAsync(FetchRequest message, PendingRequest pending)
    {
        _request = message;
        _version = pending.Version;
        pending.Resources = _release;
        var quotas = _session.FrontEnd.Broker.Quotas;
        _mostBytes = Math.Min(message.MaxBytes, _session.FrontEnd.Options.MaxFetchBytes);
        // What exceeds a quota by itself would never be sent.
        if (quotas.Any && quotas.LargestBurst(QuotaKind.ConsumeBytes, _session.QuotaUser, pending.ClientId) is { } burst) _mostBytes = (int)Math.Min(_mostBytes, burst);
        var response = Prepare();
        if (!await CollectAsync().ConfigureAwait(false) && message.MaxWaitMs > 0) await WaitAsync().ConfigureAwait(false);
        if (quotas.Any) Throttle(response, pending);
        pending.StreamsRecords = _found >= StreamFrom;
        return response;
    }

    /// <summary>Gives the client nothing, and has it wait, where what was found is too much for its quota.</summary>
    private void Throttle(FetchResponse response, PendingRequest pending)
    {
        if (_found == 0) return;
        response.ThrottleTimeMs = pending.Record(QuotaKind.ConsumeBytes, _found);
        if (response.ThrottleTimeMs == 0) return;
        _session.FrontEnd.Broker.Quotas.Return(QuotaKind.ConsumeBytes, _session.QuotaUser, pending.ClientId, _found);
        ReleaseRecords();
        response.Responses.Clear();
    }

    /// <summary>Makes the answer's frame, in the order of the request, and finds the partitions.</summary>
    private FetchResponse Prepare()
    {
        var topics = _session.FrontEnd.Broker.TopicsWithQueues;
        var byId = _version >= 13;
        var response = new FetchResponse { Responses = new(_request.Topics.Count) };
        foreach (var asked in _request.Topics)
        {
            var topic = byId ? topics.Find(asked.TopicId) : topics.Find(KafkaTopicNames.Parse(asked.Topic));
            var answers = new List<FetchResponse.PartitionData>(asked.Partitions.Count);
            response.Responses.Add(new() { Topic = asked.Topic, TopicId = asked.TopicId, Partitions = answers });
            var mayRead = topic is null || _session.Identity.AllowsTopic(Operations.Read, topic.Name);
            foreach (var partition in asked.Partitions)
            {
                var answer = new FetchResponse.PartitionData { PartitionIndex = partition.Partition, HighWatermark = -1, Records = Empty };
                answers.Add(answer);
                if (!mayRead)
                {
                    answer.ErrorCode = ErrorCode.TopicAuthorizationFailed;
                    _parts.Add(new Part(partition, answer, null));
                    continue;
                }
                var handle = topic is not null && (uint)partition.Partition < (uint)topic.Partitions.Count ? topic.Partitions[partition.Partition] : null;
                if (handle is null) answer.ErrorCode = topic is null && byId ? ErrorCode.UnknownTopicId : ErrorCode.UnknownTopicOrPartition;
                _parts.Add(new Part(partition, answer, handle));
            }
        }
        return response;
    }

    private static Records Empty => new(System.Buffers.ReadOnlySequence<byte>.Empty);

    /// <summary>Looks at all partitions, those first that came off badly last time.</summary>
    /// <returns>Whether the answer can go out as it is.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> CollectAsync()
    {
        ReleaseRecords();
        var left = _mostBytes;
        var wanted = Math.Min(_request.MinBytes, left);
        var answerNow = _parts.Count == 0;
        var next = -1;
        if (_first >= _parts.Count) _first = 0;
        for (var i = 0; i < _parts.Count; i++)
        {
            var index = (_first + i) % _parts.Count;
            var part = _parts[index];
            if (part.Answer.ErrorCode == ErrorCode.None && TryCheck(part, out var offsets, out var end) && part.Asked.FetchOffset < end)
            {
                // At least one batch, whatever the limits say; after that, none that exceeds them.
                if ((_found == 0 || left > 0) && await ReadAsync(part, offsets, Math.Max(left, 1)).ConfigureAwait(false)) left -= part.Records!.Length;
                else if (part.Answer.ErrorCode == ErrorCode.None && next < 0) next = index;
            }
            answerNow |= part.Answer.ErrorCode != ErrorCode.None || part.Answer.DivergingEpoch is not null;
        }
        // Whoever got nothing although there was something comes first in the next request.
        if (next >= 0) _first = next;
        return answerNow || next >= 0 || _found >= wanted;
    }

    /// <summary>Fills in a partition's offsets and decides whether the client may read there.</summary>
    private bool TryCheck(Part part, out PartitionOffsets offsets, out long end)
    {
        var answer = part.Answer;
        end = 0;
        if (!part.Handle!.TryGetOffsets(out offsets)) return Refuse(answer, ErrorCode.UnknownTopicOrPartition);
        var epoch = Errors.OfEpoch(part.Asked.CurrentLeaderEpoch, offsets.LeaderEpoch);
        if (epoch != ErrorCode.None) return Refuse(answer, epoch);
        var committedOnly = _request.IsolationLevel == IsolationLevel.ReadCommitted;
        answer.HighWatermark = offsets.HighWatermark;
        answer.LastStableOffset = offsets.LastStable;
        answer.LogStartOffset = offsets.Start;
        answer.AbortedTransactions = committedOnly ? [] : null;
        if (part.Asked.LastFetchedEpoch >= 0 && HasDiverged(part)) return false;
        if (answer.ErrorCode != ErrorCode.None) return false;
        if (part.Asked.FetchOffset < offsets.Start || part.Asked.FetchOffset > offsets.HighWatermark) return Refuse(answer, ErrorCode.OffsetOutOfRange);
        end = committedOnly ? offsets.LastStable : offsets.HighWatermark;
        return true;
    }

    /// <summary>Whether the log differs from what the client has read before its offset (KIP-595, the diverging epoch).</summary>
    private static bool HasDiverged(Part part)
    {
        var (epoch, end) = part.Handle!.EndOfEpoch(part.Asked.LastFetchedEpoch);
        if (epoch < 0)
        {
            Refuse(part.Answer, ErrorCode.OffsetOutOfRange);
            return false;
        }
        if (epoch >= part.Asked.LastFetchedEpoch && end >= part.Asked.FetchOffset) return false;
        part.Answer.DivergingEpoch = new() { Epoch = epoch, EndOffset = end };
        return true;
    }

    private static bool Refuse(FetchResponse.PartitionData answer, ErrorCode error)
    {
        answer.ErrorCode = error;
        answer.HighWatermark = -1;
        answer.LastStableOffset = -1;
        answer.LogStartOffset = -1;
        answer.AbortedTransactions = null;
        return false;
    }

    /// <summary>Finds a partition's batches.</summary>
    /// <returns>False if there are none that may go into the answer.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> ReadAsync(Part part, PartitionOffsets offsets, int left)
    {
        var committedOnly = _request.IsolationLevel == IsolationLevel.ReadCommitted;
        var records = _spare.TryPop(out var spare) ? spare : new StoredRecords();
        part.Records = records;
        var limit = Math.Max(1, Math.Min(part.Asked.PartitionMaxBytes, left));
        var reading = committedOnly
            ? part.Handle!.ReadStableAsync(part.Asked.FetchOffset, limit, records.Read, _aborted)
            : part.Handle!.ReadAsync(part.Asked.FetchOffset, limit, ReadIsolation.Committed, records.Read);
        var status = await reading.ConfigureAwait(false);
        if (status != PartitionStatus.Ok) return Refuse(part.Answer, Errors.Of(status));
        if (records.Length == 0) return false;
        if (_found > 0 && records.Length > left)
        {
            records.Read.Dispose();
            return false;
        }
        if (_version < FirstWithZstd && records.HasZstd())
        {
            records.Read.Dispose();
            return Refuse(part.Answer, ErrorCode.UnsupportedCompressionType);
        }
        _found += records.Length;
        part.Answer.HighWatermark = Math.Max(offsets.HighWatermark, records.Read.NextOffset);
        if (committedOnly) AddAborted(part.Answer, records.Read);
        part.Answer.Records = new Records(records);
        return true;
    }

    /// <summary>Tells the client what to skip.</summary>
    private void AddAborted(FetchResponse.PartitionData answer, LogRead read)
    {
        answer.LastStableOffset = Math.Max(answer.LastStableOffset, read.NextOffset);
        foreach (var transaction in _aborted)
            answer.AbortedTransactions!.Add(new() { ProducerId = transaction.ProducerId, FirstOffset = transaction.FirstOffset });
    }

    /// <summary>Waits until there is enough, the time is over, or nobody waits any more.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask WaitAsync()
    {
        var started = Time.GetTimestamp();
        var patience = TimeSpan.FromMilliseconds(_request.MaxWaitMs);
        _timer ??= Time.CreateTimer(static state => ((FetchOperation)state!)._wake.Set(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        foreach (var part in _parts) part.Handle?.AddListener(this);
        try
        {
            using (_session.Ended.UnsafeRegister(static state => ((FetchOperation)state!)._wake.Set(), this))
            {
                // Looking comes after listening, or a change between the two would be missed.
                while (!await CollectAsync().ConfigureAwait(false) && !_session.Ended.IsCancellationRequested)
                {
                    var left = patience - Time.GetElapsedTime(started);
                    if (left <= TimeSpan.Zero) break;
                    _timer.Change(left, Timeout.InfiniteTimeSpan);
                    await _wake.WaitAsync().ConfigureAwait(false);
                }
            }
        }
        finally
        {
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            foreach (var part in _parts) part.Handle?.RemoveListener(this);
        }
    }

    void ILogListener.OnChanged(long logId) => _wake.Set();

    private void ReleaseRecords()
    {
        _found = 0;
        foreach (var part in _parts)
        {
            if (part.Records is not { } records) continue;
            records.Read.Dispose();
            _spare.Push(records);
            part.Records = null;
            part.Answer.Records = Empty;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _timer?.Dispose();
        _timer = null;
    }

    private sealed class Part(FetchRequest.FetchPartition asked, FetchResponse.PartitionData answer, IPartitionHandle? handle)
    {
        public FetchRequest.FetchPartition Asked { get; } = asked;

        public FetchResponse.PartitionData Answer { get; } = answer;

        public IPartitionHandle? Handle { get; } = handle;

        public StoredRecords? Records { get; set; }
    }

    private sealed class Release(FetchOperation operation) : IDisposable
    {
        public void Dispose()
        {
            operation.ReleaseRecords();
            operation._parts.Clear();
        }
    }
}
