using System.Diagnostics;
using Dragoman.Load.Reporting;

namespace Dragoman.Load.Amqp;

/// <summary>What to do to an AMQP broker.</summary>
internal sealed record AmqpLoadOptions
{
    /// <summary>HOST:PORT of the broker under test.</summary>
    public required string Address { get; init; }

    /// <summary>HOST:PORT of the broker to compare it with, or null.</summary>
    public required string? Peer { get; init; }

    public required string Mode { get; init; }

    /// <summary>Bytes of a message's body, at least 8: the first eight are the time it was sent.</summary>
    public required int MessageBytes { get; init; }

    /// <summary>Whether messages are persistent, queues durable, and publishes confirmed and deliveries acknowledged; else nothing of it.</summary>
    public required bool Safe { get; init; }

    public required int Queues { get; init; }

    public required int Producers { get; init; }

    public required int Consumers { get; init; }

    /// <summary>Publishes of a producer that are not confirmed yet.</summary>
    public required int InFlight { get; init; }

    public required int Prefetch { get; init; }

    /// <summary>Messages of each producer at most; 0 to go by time alone.</summary>
    public required long Count { get; init; }

    public required double Seconds { get; init; }

    /// <summary>Messages per second of all producers together; 0 for as many as possible.</summary>
    public required double Rate { get; init; }

    public required int Rounds { get; init; }

    public required int? Watch { get; init; }

    public required int? WatchPeer { get; init; }
}

/// <summary>What came of one round with one broker.</summary>
internal sealed record AmqpLoadResult
{
    public required string Target { get; init; }

    public required double Seconds { get; init; }

    public required long Published { get; init; }

    public required long Delivered { get; init; }

    public double PublishedPerSecond => Published / Seconds;

    public double DeliveredPerSecond => Delivered / Seconds;

    /// <summary>From a publish to its confirm.</summary>
    public required Percentiles ConfirmLatency { get; init; }

    /// <summary>From a publish to its delivery.</summary>
    public required Percentiles DeliveryLatency { get; init; }

    public required CpuMeter.Usage Cpu { get; init; }

    /// <summary>Resident memory of the watched broker, where messages were left in its queues, 5 s after the last was published; null otherwise.</summary>
    public long? ResidentBytes { get; init; }

    /// <summary>The most that was resident until then.</summary>
    public long? MostResidentBytes { get; init; }

    /// <summary>CPU time of the broker per message that went through it, in microseconds.</summary>
    public double? BrokerMicrosecondsPerMessage => Cpu.Watched / Math.Max(1, Delivered > 0 ? Delivered : Published) * 1e6;

    public double ClientMicrosecondsPerMessage => Cpu.Own / Math.Max(1, Delivered > 0 ? Delivered : Published) * 1e6;
}

/// <summary>What the workers of one round share: when to stop, and how far they are.</summary>
internal sealed class AmqpRun(AmqpLoadOptions options, string target)
{
    private readonly long _start = Stopwatch.GetTimestamp();
    private long _published;
    private long _delivered;
    private volatile bool _stopped;

    public AmqpLoadOptions Options => options;

    public string Target => target;

    public long Published => Volatile.Read(ref _published);

    public long Delivered => Volatile.Read(ref _delivered);

    public double Elapsed => Stopwatch.GetElapsedTime(_start).TotalSeconds;

    /// <summary>Whether producers shall stop.</summary>
    public bool IsOver => _stopped || Elapsed >= options.Seconds;

    public void Stop() => _stopped = true;

    /// <summary>Messages confirmed, or sent where nothing is confirmed.</summary>
    public void NotePublished(int messages) => Interlocked.Add(ref _published, messages);

    public void NoteDelivered(int messages) => Interlocked.Add(ref _delivered, messages);
}
