using System.Diagnostics;
using Dragoman.Load.Reporting;

namespace Dragoman.Load.Kafka;

/// <summary>What to do to a Kafka broker.</summary>
internal sealed record KafkaLoadOptions
{
    public required string Bootstrap { get; init; }

    public required string Mode { get; init; }

    public required string Topic { get; init; }

    public required int Partitions { get; init; }

    /// <summary>Bytes of a record's value; its first eight are the time it was sent.</summary>
    public required int MessageBytes { get; init; }

    /// <summary>Bytes of a batch at most; in raw mode, very nearly.</summary>
    public required int BatchBytes { get; init; }

    public required int Producers { get; init; }

    public required int Consumers { get; init; }

    /// <summary>Requests under way on each producing connection.</summary>
    public required int InFlight { get; init; }

    public required int Acks { get; init; }

    public required double LingerMs { get; init; }

    public required string Compression { get; init; }

    public required bool Idempotent { get; init; }

    /// <summary>Messages in all; 0 for as many as the time allows.</summary>
    public required long Count { get; init; }

    public required double Seconds { get; init; }

    /// <summary>Messages per second of all producers; 0 for as fast as possible.</summary>
    public required double Rate { get; init; }

    public required int? Watch { get; init; }

    /// <summary>What an acknowledgement means, as the topic's configuration says, or the person who started the run.</summary>
    public required string CommitMode { get; init; }
}

/// <summary>What came of it.</summary>
internal sealed record KafkaLoadResult
{
    public required double ProduceSeconds { get; init; }

    public required long Produced { get; init; }

    public required long Consumed { get; init; }

    public required double ConsumeSeconds { get; init; }

    public required int MessageBytes { get; init; }

    public double ProducedPerSecond => Produced / ProduceSeconds;

    public double ProducedBytesPerSecond => ProducedPerSecond * MessageBytes;

    public double? ConsumedPerSecond => Consumed == 0 ? null : Consumed / ConsumeSeconds;

    /// <summary>From handing a message (client) or a request (raw) over until its acknowledgement.</summary>
    public required Percentiles AckLatency { get; init; }

    /// <summary>From sending a message until a consumer has it (client), or of a fetch request (raw).</summary>
    public required Percentiles ConsumeLatency { get; init; }

    public required CpuMeter.Usage Cpu { get; init; }

    public double ClientCpuSecondsPerMillion => Cpu.Own / Produced * 1e6;

    public double? BrokerCpuSecondsPerMillion => Cpu.Watched / Produced * 1e6;
}

/// <summary>What all workers of a run share: when to stop, and how far they are.</summary>
internal sealed class KafkaRun(KafkaLoadOptions options, CancellationToken cancellation)
{
    private readonly long _start = Stopwatch.GetTimestamp();
    private long _sent;
    private long _produced;
    private long _consumed;
    private long _lastProduced;
    private long _lastConsumed;
    private volatile bool _failed;

    public KafkaLoadOptions Options => options;

    public long Produced => Volatile.Read(ref _produced);

    public long Consumed => Volatile.Read(ref _consumed);

    public double ProduceSeconds => Stopwatch.GetElapsedTime(_start, Volatile.Read(ref _lastProduced)).TotalSeconds;

    public double ConsumeSeconds => Consumed == 0 ? 0 : Stopwatch.GetElapsedTime(_start, Volatile.Read(ref _lastConsumed)).TotalSeconds;

    public double Elapsed => Stopwatch.GetElapsedTime(_start).TotalSeconds;

    public bool Stopped => _failed || cancellation.IsCancellationRequested;

    /// <summary>Set once all producers are done: then consumers stop where the producers did.</summary>
    public bool ProducersDone { get; set; }

    /// <summary>Ends the run early, because a worker failed.</summary>
    public void Fail() => _failed = true;

    /// <summary>Whether that many more messages may be sent.</summary>
    public bool TryTake(int messages)
    {
        if (Stopped) return false;
        if (options.Count == 0) return Elapsed < options.Seconds;
        if (Interlocked.Add(ref _sent, messages) <= options.Count) return true;
        Interlocked.Add(ref _sent, -messages);
        return false;
    }

    public void NoteProduced(int messages)
    {
        Interlocked.Add(ref _produced, messages);
        Volatile.Write(ref _lastProduced, Stopwatch.GetTimestamp());
    }

    public void NoteConsumed(int messages)
    {
        Interlocked.Add(ref _consumed, messages);
        Volatile.Write(ref _lastConsumed, Stopwatch.GetTimestamp());
    }

    /// <summary>Reports four times a second until the work is done.</summary>
    public async Task ReportAsync(Task work, IProgress<Step> progress)
    {
        var (last, lastTime) = (0L, 0.0);
        while (!work.IsCompleted)
        {
            await Task.WhenAny(work, Task.Delay(250, CancellationToken.None));
            var (now, produced) = (Elapsed, Produced);
            var rate = (produced - last) / Math.Max(now - lastTime, 1e-3);
            (last, lastTime) = (produced, now);
            progress.Report(new Step(
                options.Count > 0 ? produced / (double)options.Count : now / options.Seconds,
                $"{Sizes.Count(rate)} messages/s, {Sizes.Rate(rate * options.MessageBytes)}"));
        }
        await work;
    }
}
