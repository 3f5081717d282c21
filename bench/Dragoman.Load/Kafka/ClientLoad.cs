using System.Buffers.Binary;
using System.Diagnostics;
using Confluent.Kafka;
using Dragoman.Load.Reporting;

namespace Dragoman.Load.Kafka;

/// <summary>Load through Confluent.Kafka: what an application sees, the client's own cost included.</summary>
internal sealed class ClientLoad(KafkaRun run)
{
    private readonly KafkaLoadOptions _options = run.Options;

    public async Task<KafkaLoadResult> RunAsync(IProgress<Step> progress)
    {
        var consumed = Enumerable.Range(0, _options.Consumers).Select(_ => new Latencies()).ToArray();
        var acknowledged = Enumerable.Range(0, _options.Producers).Select(_ => new Latencies()).ToArray();
        var cpu = new CpuMeter(_options.Watch);
        var consumers = consumed.Select((latencies, i) => Guarded(() => Consume(i, latencies))).ToArray();
        var producers = acknowledged.Select((latencies, i) => Guarded(() => Produce(i, latencies))).ToArray();
        var producing = Task.WhenAll(producers);
        var all = Task.WhenAll([.. consumers, FinishAsync(producing)]);
        await run.ReportAsync(all, progress);
        return new KafkaLoadResult
        {
            ProduceSeconds = run.ProduceSeconds,
            Produced = run.Produced,
            Consumed = run.Consumed,
            ConsumeSeconds = run.ConsumeSeconds,
            MessageBytes = _options.MessageBytes,
            AckLatency = Latencies.Merge(acknowledged),
            ConsumeLatency = Latencies.Merge(consumed),
            Cpu = cpu.Read(),
        };
    }

    private async Task FinishAsync(Task producing)
    {
        try
        {
            await producing;
        }
        finally
        {
            run.ProducersDone = true;
        }
    }

    private Task Guarded(Action work) => Task.Factory.StartNew(
        () =>
        {
            try
            {
                work();
            }
            catch
            {
                run.Fail();
                throw;
            }
        },
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Produce(int index, Latencies latencies)
    {
        var failure = default(Error);
        using var producer = new ProducerBuilder<Null, byte[]>(new ProducerConfig
        {
            BootstrapServers = _options.Bootstrap,
            Acks = (Acks)_options.Acks,
            LingerMs = _options.LingerMs,
            BatchSize = _options.BatchBytes,
            MaxInFlight = _options.InFlight,
            EnableIdempotence = _options.Idempotent,
            CompressionType = Enum.Parse<CompressionType>(_options.Compression, ignoreCase: true),
            EnableDeliveryReports = true,
            DeliveryReportFields = "value",
        }).Build();
        var body = new byte[_options.MessageBytes];
        new Random(index).NextBytes(body);
        var perSecond = _options.Rate / _options.Producers;
        var start = Stopwatch.GetTimestamp();
        var partition = index % _options.Partitions;
        // Delivery reports come on one thread per producer, so the histogram needs no lock.
        void Delivered(DeliveryReport<Null, byte[]> report)
        {
            if (report.Error.IsError)
            {
                failure = report.Error;
                return;
            }
            latencies.RecordSince(BinaryPrimitives.ReadInt64LittleEndian(report.Message.Value));
            run.NoteProduced(1);
        }
        for (var n = 0L; failure is null && run.TryTake(1); n++)
        {
            if (perSecond > 0)
            {
                var ahead = (n / perSecond) - Stopwatch.GetElapsedTime(start).TotalSeconds;
                if (ahead > 0.001) Thread.Sleep(TimeSpan.FromSeconds(ahead));
            }
            var value = body.AsSpan().ToArray();
            BinaryPrimitives.WriteInt64LittleEndian(value, Stopwatch.GetTimestamp());
            while (failure is null)
            {
                try
                {
                    producer.Produce(new TopicPartition(_options.Topic, partition), new Message<Null, byte[]> { Value = value }, Delivered);
                    break;
                }
                catch (ProduceException<Null, byte[]> full) when (full.Error.Code == ErrorCode.Local_QueueFull)
                {
                    Thread.Sleep(1);
                }
            }
            partition = partition + 1 == _options.Partitions ? 0 : partition + 1;
        }
        var left = producer.Flush(TimeSpan.FromSeconds(60));
        if (failure is not null) throw new KafkaException(failure);
        if (left > 0) throw new TimeoutException($"{left} messages were not acknowledged within a minute of the last send.");
    }

    private void Consume(int index, Latencies latencies)
    {
        var partitions = Enumerable.Range(0, _options.Partitions).Where(p => p % _options.Consumers == index).ToArray();
        if (partitions.Length == 0) return;
        using var consumer = new ConsumerBuilder<Ignore, byte[]>(new ConsumerConfig
        {
            BootstrapServers = _options.Bootstrap,
            GroupId = "dragoman-load",
            EnableAutoCommit = false,
            EnableAutoOffsetStore = false,
        }).Build();
        consumer.Assign(partitions.Select(p => new TopicPartitionOffset(_options.Topic, p, Offset.Beginning)));
        var quiet = Stopwatch.GetTimestamp();
        while (!run.Stopped)
        {
            if (consumer.Consume(TimeSpan.FromMilliseconds(100)) is { } message)
            {
                latencies.RecordSince(BinaryPrimitives.ReadInt64LittleEndian(message.Message.Value));
                run.NoteConsumed(1);
                quiet = Stopwatch.GetTimestamp();
                continue;
            }
            if (!run.ProducersDone) continue;
            if (run.Consumed >= run.Produced) return;
            if (Stopwatch.GetElapsedTime(quiet) > TimeSpan.FromSeconds(20))
                throw new TimeoutException($"{run.Produced - run.Consumed} of {run.Produced} acknowledged messages did not reach a consumer within 20 s of the last one.");
        }
    }
}
