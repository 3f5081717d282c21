using Confluent.Kafka;

namespace Dragoman.Faults.WordCount;

/// <summary>Sends lines all the time, each exactly once, and counts their words.</summary>
internal sealed class LineFeeder : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly IProducer<Null, byte[]> _producer;
    private readonly byte[][] _lines;
    private readonly int _partitions;
    private readonly Task _sending;
    private volatile string? _failure;

    public LineFeeder(string broker, byte[][] lines, int partitions)
    {
        _lines = lines;
        _partitions = partitions;
        var config = new ProducerConfig
        {
            BootstrapServers = broker,
            EnableIdempotence = true,
            LingerMs = 5,
            MessageTimeoutMs = 0,
            ReconnectBackoffMaxMs = 500,
            LogConnectionClose = false,
        };
        _producer = new ProducerBuilder<Null, byte[]>(config)
            .SetLogHandler(static (_, _) => { })
            .SetErrorHandler((_, error) => _failure = error.IsFatal ? error.Reason : _failure)
            .Build();
        _sending = Task.Run(SendAsync);
    }

    /// <summary>How often each word was sent; to be read when it has finished.</summary>
    public Dictionary<string, long> Counts { get; } = [];

    /// <summary>Lines that were sent.</summary>
    public int Sent { get; private set; }

    /// <summary>Sends no more, and waits until all that was sent is acknowledged.</summary>
    public async Task FinishAsync()
    {
        await _stop.CancelAsync();
        await _sending;
        var left = await Task.Run(() => _producer.Flush(TimeSpan.FromMinutes(1)));
        if (_failure is { } failure) throw new InvalidOperationException($"The lines could not be sent: {failure}");
        if (left > 0) throw new InvalidOperationException($"{left} lines were not acknowledged although the broker runs.");
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _sending;
        _producer.Dispose();
        _stop.Dispose();
    }

    private async Task SendAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            // Slower than they are counted, so that the end does not take long.
            for (var i = 0; i < 20; i++)
            {
                var line = _lines[Sent % _lines.Length];
                _producer.Produce(new TopicPartition(WordCountTests.Input, Sent % _partitions), new() { Value = line }, report => _failure = report.Error.IsError ? report.Error.Reason : _failure);
                RealLines.Count(line, Counts);
                Sent++;
            }
            await Task.WhenAny(Task.Delay(20), Task.Delay(Timeout.Infinite, _stop.Token));
        }
    }
}
