using System.Diagnostics;
using Confluent.Kafka;
using Dragoman.Load.Kafka;
using Dragoman.Load.Reporting;

namespace Dragoman.Load.Groups;

/// <summary>What one producer cost.</summary>
internal sealed record ProducerCost(long Messages, double Seconds, long Transactions, CpuMeter.Usage Cpu)
{
    public double PerSecond => Messages / Seconds;

    /// <summary>The broker's CPU time for a message, in microseconds; NaN where no process is watched.</summary>
    public double MicrosecondsPerMessage => (Cpu.Watched ?? double.NaN) / Messages * 1e6;
}

/// <summary>Producers of both kinds in turn; by the broker's CPU for a message the middle of each kind.</summary>
internal sealed record TransactionsResult(IReadOnlyList<ProducerCost> IdempotentRuns, IReadOnlyList<ProducerCost> TransactionalRuns)
{
    public ProducerCost Idempotent => Middle(IdempotentRuns);

    public ProducerCost Transactional => Middle(TransactionalRuns);

    public double Ratio => Transactional.MicrosecondsPerMessage / Idempotent.MicrosecondsPerMessage;

    private static ProducerCost Middle(IReadOnlyList<ProducerCost> runs) => runs.OrderBy(r => r.MicrosecondsPerMessage).ElementAt(runs.Count / 2);
}

/// <summary>Confluent.Kafka producers of 1 KiB messages at one rate, idempotent ones and ones whose messages are in short transactions.</summary>
internal sealed class Transactions(string bootstrap, int rounds, TimeSpan time, double rate, TimeSpan transaction, int? watch)
{
    private const int MessageBytes = 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public async Task<TransactionsResult> RunAsync(IProgress<Step> progress)
    {
        var (idempotent, transactional) = (new List<ProducerCost>(), new List<ProducerCost>());
        // Warms up: with transactions so short that the broker's code for them is compiled in full within seconds.
        await ProduceAsync(isTransactional: true, time / 2, TimeSpan.FromMilliseconds(5));
        await ProduceAsync(isTransactional: false, time / 2, default);
        for (var round = 0; round < rounds; round++)
        {
            progress.Report(new Step(round / (double)rounds, "an idempotent producer"));
            idempotent.Add(await ProduceAsync(isTransactional: false, time, default));
            progress.Report(new Step((round + 0.5) / rounds, "a transactional producer"));
            transactional.Add(await ProduceAsync(isTransactional: true, time, transaction));
        }
        return new TransactionsResult(idempotent, transactional);
    }

    private async Task<ProducerCost> ProduceAsync(bool isTransactional, TimeSpan length, TimeSpan transaction)
    {
        var topic = $"load-{Guid.NewGuid():N}";
        await TopicSetup.PrepareAsync(bootstrap, topic, 1, null);
        try
        {
            return await Task.Factory.StartNew(() => Produce(topic, isTransactional, length, transaction), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        }
        finally
        {
            await TopicSetup.DeleteAsync(bootstrap, topic);
        }
    }

    private ProducerCost Produce(string topic, bool isTransactional, TimeSpan length, TimeSpan transaction)
    {
        Error? failure = null;
        long acknowledged = 0, transactions = 0;
        var config = new ProducerConfig { BootstrapServers = bootstrap, Acks = Acks.All, LingerMs = 5, BatchSize = 64 << 10, EnableIdempotence = true };
        if (isTransactional) config.TransactionalId = topic;
        using var producer = new ProducerBuilder<Null, byte[]>(config).Build();
        if (isTransactional) producer.InitTransactions(Patience);
        var value = new byte[MessageBytes];
        new Random(1).NextBytes(value);
        var partition = new TopicPartition(topic, 0);
        var meter = new CpuMeter(watch);
        var start = Stopwatch.GetTimestamp();
        var begun = start;
        if (isTransactional) producer.BeginTransaction();
        for (var sent = 0L; Stopwatch.GetElapsedTime(start) < length && failure is null;)
        {
            if (isTransactional && Stopwatch.GetElapsedTime(begun) >= transaction)
            {
                producer.CommitTransaction(Patience);
                transactions++;
                producer.BeginTransaction();
                begun = Stopwatch.GetTimestamp();
            }
            if (sent / rate > Stopwatch.GetElapsedTime(start).TotalSeconds)
            {
                Thread.Sleep(1);
                continue;
            }
            try
            {
                producer.Produce(partition, new Message<Null, byte[]> { Value = value }, Delivered);
                sent++;
            }
            catch (ProduceException<Null, byte[]> full) when (full.Error.Code == ErrorCode.Local_QueueFull)
            {
                Thread.Sleep(1);
            }
        }
        if (isTransactional)
        {
            producer.CommitTransaction(Patience);
            transactions++;
        }
        var left = producer.Flush(Patience);
        if (failure is not null) throw new KafkaException(failure);
        if (left > 0) throw new TimeoutException($"{left} messages were not acknowledged within {Patience.TotalSeconds:F0} s of the last send.");
        return new ProducerCost(acknowledged, Stopwatch.GetElapsedTime(start).TotalSeconds, transactions, meter.Read());

        void Delivered(DeliveryReport<Null, byte[]> report)
        {
            if (report.Error.IsError) failure = report.Error;
            else acknowledged++;
        }
    }
}
