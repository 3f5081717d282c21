using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;
using Dragoman.Load.Kafka;
using Dragoman.Load.Reporting;

namespace Dragoman.Load.Groups;

/// <summary>How many requests that commit an offset were answered.</summary>
internal sealed record OffsetCommitsResult(long Commits, double Seconds, Percentiles Latency, CpuMeter.Usage Cpu)
{
    public double PerSecond => Commits / Seconds;
}

/// <summary>
/// Groups that commit offsets, each on a plain socket of its own, some requests ahead of the answers; each commit is one
/// offset, higher than the one before. At the end each group must have the offset that it committed last.
/// </summary>
internal sealed class OffsetCommits(string bootstrap, string topic, int groups, int inFlight, TimeSpan time, int? watch)
{
    private const short CommitVersion = 7;
    private const short FetchVersion = 5;

    private readonly string _run = Guid.NewGuid().ToString("N");
    private long _commits;

    public async Task<OffsetCommitsResult> RunAsync(IProgress<Step> progress)
    {
        var latencies = Enumerable.Range(0, groups).Select(_ => new Latencies()).ToArray();
        var meter = new CpuMeter(watch);
        var start = Stopwatch.GetTimestamp();
        var all = Task.WhenAll(latencies.Select((l, i) => Task.Run(() => CommitAsync($"load-{_run}-{i}", start, l))));
        while (!all.IsCompleted)
        {
            await Task.WhenAny(all, Task.Delay(250));
            var elapsed = Stopwatch.GetElapsedTime(start);
            progress.Report(new Step(elapsed / time, $"{Sizes.Count(Volatile.Read(ref _commits) / elapsed.TotalSeconds)}/s"));
        }
        await all;
        return new OffsetCommitsResult(_commits, Stopwatch.GetElapsedTime(start).TotalSeconds, Latencies.Merge(latencies), meter.Read());
    }

    private async Task CommitAsync(string group, long start, Latencies latencies)
    {
        using var connection = await RawConnection.OpenAsync(bootstrap, CancellationToken.None);
        var (request, offsetAt) = Encode(group);
        var times = new long[inFlight];
        long sent = 0, answered = 0;
        while (true)
        {
            var mayGoOn = Stopwatch.GetElapsedTime(start) < time;
            if (mayGoOn && sent - answered < inFlight)
            {
                BinaryPrimitives.WriteInt32BigEndian(request.AsSpan(RawConnection.CorrelationOffset), (int)sent);
                BinaryPrimitives.WriteInt64BigEndian(request.AsSpan(offsetAt), sent);
                times[sent++ % inFlight] = Stopwatch.GetTimestamp();
                await connection.SendAsync(request, CancellationToken.None);
                continue;
            }
            if (sent == answered) break;
            var response = await ReceiveAsync<OffsetCommitResponse>(connection, (int)answered, CommitVersion);
            latencies.RecordSince(times[answered++ % inFlight]);
            if (response.Topics[0].Partitions[0].ErrorCode != ErrorCode.None) throw new InvalidDataException($"The broker refused a commit of offsets: {response.Topics[0].Partitions[0].ErrorCode}.");
        }
        Interlocked.Add(ref _commits, answered);
        await CheckAsync(connection, group, answered - 1);
    }

    private (byte[] Request, int OffsetAt) Encode(string group)
    {
        const long Mark = 0x1122334455667788;
        var output = new ArrayBufferWriter<byte>();
        KafkaFrame.WriteRequest(output, 0, "dragoman-load", CommitVersion, new OffsetCommitRequest
        {
            GroupId = group,
            Topics = [new() { Name = topic, Partitions = [new() { PartitionIndex = 0, CommittedOffset = Mark, CommittedMetadata = "" }] }],
        });
        var bytes = output.WrittenSpan.ToArray();
        Span<byte> mark = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64BigEndian(mark, Mark);
        return (bytes, bytes.AsSpan().IndexOf(mark));
    }

    private async Task CheckAsync(RawConnection connection, string group, long expected)
    {
        var output = new ArrayBufferWriter<byte>();
        KafkaFrame.WriteRequest(output, -1, "dragoman-load", FetchVersion, new OffsetFetchRequest { GroupId = group, Topics = [new() { Name = topic, PartitionIndexes = [0] }] });
        await connection.SendAsync(output.WrittenMemory, CancellationToken.None);
        var response = await ReceiveAsync<OffsetFetchResponse>(connection, -1, FetchVersion);
        var found = response.Topics[0].Partitions[0].CommittedOffset;
        if (found != expected) throw new InvalidDataException($"Group {group} committed offset {expected} and has {found}.");
    }

    private static async ValueTask<T> ReceiveAsync<T>(RawConnection connection, int correlation, short version)
        where T : IKafkaMessage<T>
    {
        var frame = await connection.ReceiveAsync(CancellationToken.None);
        if (frame.IsEmpty) throw new EndOfStreamException("The broker closed the connection.");
        var got = BinaryPrimitives.ReadInt32BigEndian(frame.Span);
        if (got != correlation) throw new InvalidDataException($"The broker answered request {got} instead of {correlation}.");
        return KafkaFrame.Read<T>(new ReadOnlySequence<byte>(frame[sizeof(int)..]), version);
    }
}
