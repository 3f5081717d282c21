using Dragoman.Admin.Http;
using Dragoman.Admin.Model;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Records;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.Records;

/// <summary>
/// Gathers records for a partition into batches: while one batch is on its way to the disk the next one fills, and
/// never are two on their way, so that the order stays.
/// </summary>
internal sealed class PartitionWriter : IDisposable
{
    /// <summary>What a batch grows to, if the topic takes that: large enough that an fsync is spread over many records.</summary>
    private const int TargetBatchBytes = 512 * 1024;

    // A record's lengths and deltas at most.
    private const int RecordOverhead = 64;

    private readonly IPartitionHandle _partition;
    private readonly BatchOptions _options;
    private readonly int _limit;
    private RecordBatchBuilder _filling = new();
    private RecordBatchBuilder _sending = new();
    private Task<AppendAnswer>? _inFlight;
    private int _inFlightRecords;

    public PartitionWriter(IPartitionHandle partition, TopicSettings settings, CompressionCodec codec)
    {
        _partition = partition;
        _options = new BatchOptions { Codec = codec };
        _limit = Math.Min(TargetBatchBytes, settings.MaxMessageBytes);
    }

    /// <summary>Records that are appended and durable.</summary>
    public long Records { get; private set; }

    public ProducedPartition? Result { get; private set; }

    /// <summary>Whether the batch should go before a record of that size joins it.</summary>
    public bool IsFullFor(long recordBytes) => _filling.RecordCount > 0 && _filling.UncompressedSize + recordBytes + RecordOverhead > _limit;

    public void Add(long timestamp, NullableBytes key, NullableBytes value, RecordHeaders headers) => _filling.Add(timestamp, key, value, headers);

    /// <summary>Sends what has gathered, once the batch before is safe.</summary>
    /// <exception cref="ProblemException">The batch before was refused.</exception>
    public async ValueTask SendAsync(CancellationToken cancellation)
    {
        if (_filling.RecordCount == 0) return;
        await WaitAsync();
        (_filling, _sending) = (_sending, _filling);
        _inFlightRecords = _sending.RecordCount;
        _inFlight = _partition.AppendAsync(_sending.Build(_options), cancellation).AsTask();
    }

    /// <summary>Waits for the batch that is on its way.</summary>
    /// <exception cref="ProblemException">It was refused.</exception>
    public async ValueTask WaitAsync()
    {
        if (_inFlight is not { } append) return;
        var answer = await append;
        _inFlight = null;
        _sending.Reset();
        if (answer.Status != PartitionStatus.Ok) throw Refusal(answer);
        Records += _inFlightRecords;
        Result = new ProducedPartition(_partition.Index, Records, Result?.FirstOffset ?? answer.BaseOffset, answer.BaseOffset + _inFlightRecords - 1);
    }

    private ProblemException Refusal(AppendAnswer answer)
    {
        var detail = $"Partition {_partition.Index}: {answer.Message ?? answer.Status.ToString()}";
        return answer.Status switch
        {
            PartitionStatus.TooLarge => new ProblemException(StatusCodes.Status413PayloadTooLarge, "Record too large", $"{detail} A record is larger than the topic's maxMessageBytes."),
            PartitionStatus.Full => new ProblemException(StatusCodes.Status507InsufficientStorage, "Disk full", detail),
            PartitionStatus.NotFound => ProblemException.NotFound(detail),
            PartitionStatus.StorageError or PartitionStatus.Moved => new ProblemException(StatusCodes.Status503ServiceUnavailable, "Unavailable", detail),
            _ => ProblemException.BadRequest(detail),
        };
    }

    /// <summary>Waits for the batch on its way, whatever comes of it: its memory is in use until then.</summary>
    public async ValueTask SettleAsync()
    {
        if (_inFlight is { } append) await append.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        _inFlight = null;
    }

    public void Dispose()
    {
        _filling.Dispose();
        _sending.Dispose();
    }
}
