using System.Collections.Concurrent;
using Dragoman.Faults.Kills;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Dragoman.Faults.Load;

/// <summary>
/// Publishers of the unmodified RabbitMQ.Client that send persistent messages to an exchange all the time, with confirms.
/// What a lost connection left without a confirm is sent again, in its order, on the next one: at least once.
/// </summary>
internal sealed class AmqpLoad : IRecordedLoad, IAsyncDisposable
{
    private readonly int _port;
    private readonly string _exchange;
    private readonly int _window;
    private readonly CancellationTokenSource _stop = new();
    private readonly Publisher[] _publishers;
    private Task[] _running = [];
    private string? _failure;
    private long _lastConfirm = TimeProvider.System.GetTimestamp();
    private long _longestGap;

    private AmqpLoad(int port, string exchange, int publishers, int window)
    {
        _port = port;
        _exchange = exchange;
        _window = window;
        _publishers = [.. Enumerable.Range(0, publishers).Select(n => new Publisher(n))];
    }

    public long Acknowledged => _publishers.Sum(p => Interlocked.Read(ref p.Confirmed));

    public int InFlight => _publishers.Sum(p => p.Pending.Count);

    public string? Failure => Volatile.Read(ref _failure);

    /// <summary>The longest time without a confirm since <see cref="WatchGaps"/>.</summary>
    public TimeSpan LongestGap => TimeSpan.FromTicks(Math.Max(Interlocked.Read(ref _longestGap), TimeProvider.System.GetElapsedTime(Interlocked.Read(ref _lastConfirm)).Ticks));

    /// <summary>Begins to measure gaps anew.</summary>
    public void WatchGaps()
    {
        Interlocked.Exchange(ref _lastConfirm, TimeProvider.System.GetTimestamp());
        Interlocked.Exchange(ref _longestGap, 0);
    }

    /// <summary>Starts publishers that keep up to <paramref name="window"/> messages each on their way.</summary>
    public static AmqpLoad Start(int port, string exchange, int publishers, int window = 200)
    {
        var load = new AmqpLoad(port, exchange, publishers, window);
        load._running = [.. load._publishers.Select(p => Task.Run(() => load.PublishAsync(p)))];
        return load;
    }

    /// <summary>Sends no more, and waits until all that was sent is confirmed.</summary>
    /// <returns>How many messages each publisher has confirmed: those with lower numbers.</returns>
    public async Task<long[]> FinishAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_running).WaitAsync(TimeSpan.FromMinutes(1));
        if (Failure is { } failure) throw new InvalidOperationException($"The load failed: {failure}");
        return [.. _publishers.Select(p => Interlocked.Read(ref p.Confirmed))];
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        try
        {
            await Task.WhenAll(_running).WaitAsync(TimeSpan.FromMinutes(1));
        }
        finally
        {
            _stop.Dispose();
        }
    }

    private async Task PublishAsync(Publisher publisher)
    {
        for (var failures = 0; failures < 600 && Failure is null;)
        {
            try
            {
                await PublishOnceAsync(publisher);
                return;
            }
            catch (Exception error) when (error is OperationInterruptedException or AlreadyClosedException or BrokerUnreachableException or IOException or TimeoutException or OperationCanceledException)
            {
                // The broker is gone for now; a load that is to end has nothing more to wait for than its confirms.
                failures++;
                await Task.Delay(100);
            }
        }
        Interlocked.CompareExchange(ref _failure, $"Publisher {publisher.Number} could not go on.", null);
    }

    private async Task PublishOnceAsync(Publisher publisher)
    {
        var factory = new ConnectionFactory { HostName = "127.0.0.1", Port = _port, AutomaticRecoveryEnabled = false };
        await using var connection = await factory.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: false));
        var again = publisher.Pending.ToArray();
        publisher.Pending.Clear();
        var first = again.Length > 0 ? again[0] : publisher.Next;
        using var room = new SemaphoreSlim(_window);
        channel.BasicAcksAsync += (sender, confirm) =>
        {
            var gap = TimeProvider.System.GetElapsedTime(Interlocked.Exchange(ref _lastConfirm, TimeProvider.System.GetTimestamp())).Ticks;
            if (gap > Interlocked.Read(ref _longestGap)) Interlocked.Exchange(ref _longestGap, gap);
            // Tags count from 1 on each channel, and messages are sent in their order.
            for (var upTo = first + (long)confirm.DeliveryTag; Interlocked.Read(ref publisher.Confirmed) < upTo;)
            {
                publisher.Pending.TryDequeue(out _);
                Interlocked.Increment(ref publisher.Confirmed);
                room.Release();
            }
            return Task.CompletedTask;
        };
        channel.BasicNacksAsync += (_, refusal) =>
        {
            Interlocked.CompareExchange(ref _failure, $"Message {first + (long)refusal.DeliveryTag - 1} of publisher {publisher.Number} was refused.", null);
            return Task.CompletedTask;
        };
        var properties = new BasicProperties { Persistent = true };
        for (var next = first; Failure is null; next++)
        {
            var isNew = next >= publisher.Next;
            if (isNew && _stop.IsCancellationRequested) break;
            while (!await room.WaitAsync(100)) ThrowIfClosed(channel);
            publisher.Pending.Enqueue(next);
            if (isNew) publisher.Next++;
            await channel.BasicPublishAsync(_exchange, "", mandatory: true, properties, new LoadMessage(publisher.Number, 0, next).ToBytes());
        }
        while (!publisher.Pending.IsEmpty && Failure is null)
        {
            ThrowIfClosed(channel);
            await Task.Delay(20);
        }
    }

    private static void ThrowIfClosed(IChannel channel)
    {
        if (channel.CloseReason is { } reason) throw new AlreadyClosedException(reason);
    }

    private sealed class Publisher(int number)
    {
        public int Number { get; } = number;

        /// <summary>Messages sent and not confirmed, the oldest first.</summary>
        public ConcurrentQueue<long> Pending { get; } = new();

        /// <summary>The number of the next message.</summary>
        public long Next;

        /// <summary>Messages confirmed: all with lower numbers.</summary>
        public long Confirmed;
    }
}
