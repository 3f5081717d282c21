using Confluent.Kafka;
using Dragoman.Faults.Kills;

namespace Dragoman.Faults.Load;

/// <summary>
/// Idempotent producers of the unmodified Confluent.Kafka client that write to all partitions of a topic all the time.
/// They try again for as long as it takes, so whatever they sent is acknowledged in the end, or the load has failed.
/// </summary>
internal sealed class KafkaLoad : IRecordedLoad, IAsyncDisposable
{
    private readonly string _topic;
    private readonly int _partitions;
    private readonly Producer[] _producers;
    private readonly CancellationTokenSource _stop = new();
    private long _acknowledged;
    private int _inFlight;
    private string? _failure;
    private long _lastReport = TimeProvider.System.GetTimestamp();
    private long _longestGap;

    private KafkaLoad(string bootstrap, string topic, int partitions, int producers, int window)
    {
        _topic = topic;
        _partitions = partitions;
        _producers = [.. Enumerable.Range(0, producers).Select(n => new Producer(this, n, bootstrap, window))];
    }

    public long Acknowledged => Interlocked.Read(ref _acknowledged);

    public int InFlight => Volatile.Read(ref _inFlight);

    public string? Failure => Volatile.Read(ref _failure);

    /// <summary>The longest time without an acknowledgement since <see cref="WatchGaps"/>.</summary>
    public TimeSpan LongestGap => TimeSpan.FromTicks(Math.Max(Interlocked.Read(ref _longestGap), TimeProvider.System.GetElapsedTime(Interlocked.Read(ref _lastReport)).Ticks));

    /// <summary>Begins to measure gaps anew.</summary>
    public void WatchGaps()
    {
        Interlocked.Exchange(ref _lastReport, TimeProvider.System.GetTimestamp());
        Interlocked.Exchange(ref _longestGap, 0);
    }

    /// <summary>Starts producers that keep up to <paramref name="window"/> messages each on their way.</summary>
    public static KafkaLoad Start(string bootstrap, string topic, int partitions, int producers, int window = 300)
    {
        var load = new KafkaLoad(bootstrap, topic, partitions, producers, window);
        foreach (var producer in load._producers) producer.Start();
        return load;
    }

    /// <summary>Sends no more, and waits until all that was sent is acknowledged.</summary>
    public async Task<AcknowledgedRecords> FinishAsync()
    {
        await _stop.CancelAsync();
        foreach (var producer in _producers) await producer.FinishAsync(TimeSpan.FromMinutes(1));
        if (Failure is { } failure) throw new InvalidOperationException($"The load failed: {failure}");
        if (InFlight > 0) throw new InvalidOperationException($"{InFlight} messages were not acknowledged although the broker runs.");
        var all = new AcknowledgedRecords(_partitions);
        foreach (var producer in _producers) all.Add(producer.Acknowledged);
        return all;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        foreach (var producer in _producers) await producer.DisposeAsync();
        _stop.Dispose();
    }

    private void Fail(string reason) => Interlocked.CompareExchange(ref _failure, reason, null);

    private sealed class Producer : IAsyncDisposable
    {
        private readonly KafkaLoad _load;
        private readonly int _number;
        private readonly IProducer<Null, byte[]> _client;
        private readonly SemaphoreSlim _window;
        private readonly List<(LoadMessage, long)> _acknowledged = [];
        private Task _sending = Task.CompletedTask;

        public Producer(KafkaLoad load, int number, string bootstrap, int window)
        {
            _load = load;
            _number = number;
            _window = new SemaphoreSlim(window, window);
            var config = new ProducerConfig
            {
                BootstrapServers = bootstrap,
                ClientId = $"load-{number}",
                EnableIdempotence = true,
                // Not batched for long: many requests are on their way at any moment.
                LingerMs = 1,
                CompressionType = number % 2 == 0 ? CompressionType.None : CompressionType.Lz4,
                MessageTimeoutMs = 0,
                RetryBackoffMs = 50,
                ReconnectBackoffMs = 50,
                ReconnectBackoffMaxMs = 500,
                SocketTimeoutMs = 10_000,
                // A broker that is killed is no news.
                LogConnectionClose = false,
            };
            _client = new ProducerBuilder<Null, byte[]>(config)
                .SetLogHandler(static (_, _) => { })
                .SetErrorHandler((_, error) =>
                {
                    if (error.IsFatal) load.Fail($"producer {number}: {error.Reason}");
                })
                .Build();
        }

        /// <summary>What was acknowledged, with the offset that it was told to have; to be read when it has finished.</summary>
        public IReadOnlyList<(LoadMessage Message, long Offset)> Acknowledged => _acknowledged;

        public void Start() => _sending = Task.Run(SendAsync);

        public async Task FinishAsync(TimeSpan limit)
        {
            await _sending;
            await Task.Run(() => _client.Flush(limit));
        }

        public async ValueTask DisposeAsync()
        {
            await _sending;
            _client.Dispose();
        }

        private async Task SendAsync()
        {
            try
            {
                for (long sent = 0; ; sent++)
                {
                    await _window.WaitAsync(_load._stop.Token);
                    var partition = (int)(sent % _load._partitions);
                    var message = new LoadMessage(_number, partition, sent / _load._partitions);
                    Interlocked.Increment(ref _load._inFlight);
                    _client.Produce(new TopicPartition(_load._topic, partition), new Message<Null, byte[]> { Value = message.ToBytes() }, report => OnReport(message, report));
                }
            }
            catch (OperationCanceledException)
            {
                // The load was asked to finish.
            }
            catch (KafkaException error)
            {
                _load.Fail($"producer {_number}: {error.Message}");
            }
        }

        // The client calls it on a thread of its own, and while it flushes on that of whoever flushes, too.
        private void OnReport(LoadMessage message, DeliveryReport<Null, byte[]> report)
        {
            if (report.Error.IsError) _load.Fail($"{message} was not taken: {report.Error.Reason}");
            else
            {
                lock (_acknowledged) _acknowledged.Add((message, report.Offset.Value));
            }
            var gap = TimeProvider.System.GetElapsedTime(Interlocked.Exchange(ref _load._lastReport, TimeProvider.System.GetTimestamp())).Ticks;
            for (var longest = Interlocked.Read(ref _load._longestGap); gap > longest;)
            {
                var seen = Interlocked.CompareExchange(ref _load._longestGap, gap, longest);
                if (seen == longest) break;
                longest = seen;
            }
            Interlocked.Decrement(ref _load._inFlight);
            Interlocked.Increment(ref _load._acknowledged);
            _window.Release();
        }
    }
}
