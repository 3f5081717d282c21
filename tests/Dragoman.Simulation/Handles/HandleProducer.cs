using System.Globalization;
using System.Text;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Records;

namespace Dragoman.Simulation.Handles;

/// <summary>
/// An idempotent producer that writes to one partition, several batches at once, and sends again what it was not told to be
/// there. It outlives the broker.
/// </summary>
internal sealed class HandleProducer(SimScheduler sim, SimRandom random, int number, int partition)
{
    private const int Window = 3;

    private readonly Queue<byte[]> _unanswered = new();
    private readonly Dictionary<int, long> _acknowledged = [];
    private long _id = -1;
    private int _made;
    private int _answered;

    public int Number => number;

    public int Partition => partition;

    /// <summary>Offsets of its batches that were acknowledged, by the batch's number.</summary>
    public IReadOnlyDictionary<int, long> Acknowledged => _acknowledged;

    /// <summary>Sends what is unanswered, with new batches if it may, and takes the answers in.</summary>
    public async Task StepAsync(Broker.Broker broker, IPartitionHandle handle, bool mayBegin)
    {
        if (_id < 0) _id = await broker.ProducerIds.AllocateAsync();
        while (mayBegin && _unanswered.Count < Window && !random.OneIn(3)) _unanswered.Enqueue(Make());
        var sent = _unanswered.Select(batch => handle.AppendAsync((byte[])batch.Clone()).AsTask()).ToList();
        var isWhole = true;
        foreach (var sending in sent)
        {
            var answer = await sending;
            sim.Note($"{this}: batch {_answered}: {answer.Status} at {answer.BaseOffset}");
            var isThere = answer.Status is PartitionStatus.Ok or PartitionStatus.Duplicate;
            // Behind one that failed, others fail; and one that is there although an earlier one was not answered is asked for again.
            isWhole &= isThere;
            if (!isThere)
            {
                HandleRun.Check(
                    answer.Status is PartitionStatus.Moved or PartitionStatus.StorageError or PartitionStatus.OutOfOrderSequence or PartitionStatus.Full,
                    $"{this} may try again after {answer.Status}: {answer.Message}");
            }
            if (!isWhole) continue;
            _acknowledged.Add(_answered++, answer.BaseOffset);
            _unanswered.Dequeue();
        }
        HandleRun.Check(sent.Count == 0 || !isWhole || _unanswered.Count == 0, $"{this} has an answer to everything");
    }

    public bool IsDone => _unanswered.Count == 0;

    private byte[] Make()
    {
        using var builder = new RecordBatchBuilder();
        builder.Add(sim.Time.GetUtcNow().ToUnixTimeMilliseconds(), default, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{number}/{_made}/{new string('.', random.Next(300))}")));
        return builder.Build(new BatchOptions { Producer = new BatchProducer(_id, 0, _made++) }).ToArray();
    }

    public override string ToString() => $"producer {number} of partition {partition}";
}
