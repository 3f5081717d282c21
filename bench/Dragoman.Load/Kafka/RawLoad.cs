using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;
using Dragoman.Load.Reporting;
using Dragoman.Storage.Records;
using Dragoman.Storage.Records.Compression;

namespace Dragoman.Load.Kafka;

/// <summary>
/// Load through plain sockets: produce requests are encoded once and sent again and again, so that nearly all of the
/// work is the broker's.
/// </summary>
internal sealed class RawLoad(KafkaRun run)
{
    private const short ProduceVersion = 7;
    private const short FetchVersion = 11;

    private readonly KafkaLoadOptions _options = run.Options;
    private readonly CancellationTokenSource _consumersStop = new();

    public async Task<KafkaLoadResult> RunAsync(IProgress<Step> progress)
    {
        var acknowledged = Enumerable.Range(0, _options.Producers).Select(_ => new Latencies()).ToArray();
        var fetched = Enumerable.Range(0, _options.Consumers).Select(_ => new Latencies()).ToArray();
        var cpu = new CpuMeter(_options.Watch);
        var consumers = fetched.Select((latencies, i) => GuardedAsync(() => ConsumeAsync(i, latencies))).ToArray();
        var producers = acknowledged.Select((latencies, i) => GuardedAsync(() => ProduceAsync(i, latencies))).ToArray();
        await run.ReportAsync(FinishAsync(Task.WhenAll(producers), Task.WhenAll(consumers)), progress);
        return new KafkaLoadResult
        {
            ProduceSeconds = run.ProduceSeconds,
            Produced = run.Produced,
            Consumed = run.Consumed,
            ConsumeSeconds = run.ConsumeSeconds,
            MessageBytes = _options.MessageBytes,
            AckLatency = Latencies.Merge(acknowledged),
            ConsumeLatency = Latencies.Merge(fetched),
            Cpu = cpu.Read(),
        };
    }

    private async Task FinishAsync(Task producers, Task consumers)
    {
        try
        {
            await producers;
            run.ProducersDone = true;
            await consumers.WaitAsync(TimeSpan.FromSeconds(60));
        }
        finally
        {
            await _consumersStop.CancelAsync();
        }
    }

    private Task GuardedAsync(Func<Task> work) => Task.Run(async () =>
    {
        try
        {
            await work();
        }
        catch
        {
            run.Fail();
            await _consumersStop.CancelAsync();
            throw;
        }
    });

    /// <summary>A produce request with one batch for one partition, and how many messages are in it.</summary>
    private (byte[] Request, int Messages) Encode(int partition)
    {
        using var builder = new RecordBatchBuilder();
        var value = new byte[_options.MessageBytes];
        var random = new Random(partition);
        var messages = 0;
        do
        {
            random.NextBytes(value);
            builder.Add(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(), default, value);
            messages++;
        }
        while (builder.UncompressedSize + _options.MessageBytes + 16 <= _options.BatchBytes);
        var batch = builder.Build(new BatchOptions { Codec = Enum.Parse<CompressionCodec>(_options.Compression, ignoreCase: true) });
        var output = new ArrayBufferWriter<byte>(batch.Length + 256);
        KafkaFrame.WriteRequest(output, 0, "dragoman-load", ProduceVersion, new ProduceRequest
        {
            Acks = (short)_options.Acks,
            TimeoutMs = 30_000,
            TopicData = [new() { Name = _options.Topic, PartitionData = [new() { Index = partition, Records = new Records(new ReadOnlySequence<byte>(batch)) }] }],
        });
        return (output.WrittenSpan.ToArray(), messages);
    }

    private async Task ProduceAsync(int index, Latencies latencies)
    {
        using var connection = await RawConnection.OpenAsync(_options.Bootstrap, CancellationToken.None);
        var requests = Enumerable.Range(0, _options.Partitions).Select(p => Encode(p)).ToArray();
        var sent = new ConcurrentQueue<(long Time, int Messages)>();
        using var window = new SemaphoreSlim(_options.InFlight);
        using var stop = new CancellationTokenSource();
        var receiving = _options.Acks == 0 ? Task.CompletedTask : ReceiveAsync(connection, sent, window, latencies, stop.Token);
        var next = index % requests.Length;
        for (var correlation = 0; run.TryTake(requests[next].Messages); correlation++)
        {
            var (request, messages) = requests[next];
            next = next + 1 == requests.Length ? 0 : next + 1;
            if (_options.Acks != 0)
            {
                // Whoever receives may have failed, and then nobody opens the window again.
                while (!await window.WaitAsync(1000))
                    if (receiving.IsCompleted) await receiving;
                sent.Enqueue((Stopwatch.GetTimestamp(), messages));
            }
            BinaryPrimitives.WriteInt32BigEndian(request.AsSpan(RawConnection.CorrelationOffset), correlation);
            await connection.SendAsync(request, CancellationToken.None);
            if (_options.Acks == 0) run.NoteProduced(messages);
        }
        var patience = Stopwatch.GetTimestamp();
        while (!sent.IsEmpty && !receiving.IsCompleted && !run.Stopped)
        {
            if (Stopwatch.GetElapsedTime(patience) > TimeSpan.FromSeconds(30)) throw new TimeoutException($"{sent.Count} produce requests were not answered within 30 s of the last send.");
            await Task.Delay(1);
        }
        await stop.CancelAsync();
        await receiving;
    }

    private async Task ReceiveAsync(RawConnection connection, ConcurrentQueue<(long Time, int Messages)> sent, SemaphoreSlim window, Latencies latencies, CancellationToken stop)
    {
        try
        {
            for (var correlation = 0; ; correlation++)
            {
                var frame = await connection.ReceiveAsync(stop);
                if (frame.IsEmpty) throw new EndOfStreamException("The broker closed the connection.");
                var got = BinaryPrimitives.ReadInt32BigEndian(frame.Span);
                if (got != correlation) throw new InvalidDataException($"The broker answered request {got}; the oldest unanswered one is {correlation}.");
                var response = KafkaFrame.Read<ProduceResponse>(new ReadOnlySequence<byte>(frame[sizeof(int)..]), ProduceVersion);
                var partition = response.Responses[0].PartitionResponses[0];
                if (partition.ErrorCode != ErrorCode.None) throw new InvalidDataException($"The broker refused a batch: {partition.ErrorCode}.");
                // It was enqueued before its request was sent.
                if (!sent.TryPeek(out var request)) throw new InvalidDataException("The broker answered a request that was not sent.");
                latencies.RecordSince(request.Time);
                run.NoteProduced(request.Messages);
                sent.TryDequeue(out _);
                window.Release();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // All answers are there.
        }
    }

    private async Task ConsumeAsync(int index, Latencies latencies)
    {
        var offsets = Enumerable.Range(0, _options.Partitions).Where(p => p % _options.Consumers == index).ToDictionary(p => p, _ => 0L);
        if (offsets.Count == 0) return;
        using var connection = await RawConnection.OpenAsync(_options.Bootstrap, CancellationToken.None);
        var output = new ArrayBufferWriter<byte>(4096);
        try
        {
            for (var correlation = 0; !run.Stopped; correlation++)
            {
                output.ResetWrittenCount();
                KafkaFrame.WriteRequest(output, correlation, "dragoman-load", FetchVersion, new FetchRequest
                {
                    MaxWaitMs = 100,
                    MinBytes = 1,
                    MaxBytes = 50 << 20,
                    Topics = [new() { Topic = _options.Topic, Partitions = [.. offsets.Select(o => new FetchRequest.FetchPartition { Partition = o.Key, FetchOffset = o.Value, PartitionMaxBytes = 1 << 20 })] }],
                });
                var start = Stopwatch.GetTimestamp();
                await connection.SendAsync(output.WrittenMemory, _consumersStop.Token);
                var frame = await connection.ReceiveAsync(_consumersStop.Token);
                if (frame.IsEmpty) throw new EndOfStreamException("The broker closed the connection.");
                var count = Take(frame, offsets);
                if (count > 0)
                {
                    latencies.RecordSince(start);
                    run.NoteConsumed(count);
                }
                else if (run.ProducersDone && run.Consumed >= run.Produced)
                {
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (_consumersStop.IsCancellationRequested)
        {
            // The run is over; the caller says why.
        }
    }

    private static int Take(ReadOnlyMemory<byte> frame, Dictionary<int, long> offsets)
    {
        var response = KafkaFrame.Read<FetchResponse>(new ReadOnlySequence<byte>(frame[sizeof(int)..]), FetchVersion);
        if (response.ErrorCode != ErrorCode.None) throw new InvalidDataException($"The broker refused a fetch: {response.ErrorCode}.");
        var messages = 0;
        foreach (var topic in response.Responses)
        {
            foreach (var partition in topic.Partitions)
            {
                if (partition.ErrorCode != ErrorCode.None) throw new InvalidDataException($"The broker refused to fetch partition {partition.PartitionIndex}: {partition.ErrorCode}.");
                var rest = partition.Records.Bytes.FirstSpan;
                while (RecordBatchHeader.TryRead(rest, out var header) && header.TotalSize <= rest.Length)
                {
                    messages += header.RecordCount;
                    offsets[partition.PartitionIndex] = header.LastOffset + 1;
                    rest = rest[(int)header.TotalSize..];
                }
            }
        }
        return messages;
    }
}
