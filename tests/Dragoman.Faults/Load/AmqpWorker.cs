using System.Collections.Concurrent;
using System.Globalization;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using RabbitMQ.Client.Exceptions;

namespace Dragoman.Faults.Load;

/// <summary>What a worker does with a message, which follows from its number.</summary>
internal enum Fate
{
    /// <summary>It is acknowledged.</summary>
    Done,

    /// <summary>It is refused for good.</summary>
    Refused,

    /// <summary>It is given back each time.</summary>
    GivenBack,
}

/// <summary>A consumer of the unmodified RabbitMQ.Client that connects anew whenever it has to.</summary>
internal sealed class AmqpWorker : IAsyncDisposable
{
    private readonly int _port;
    private readonly string _queue;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<LoadMessage, List<long>> _seen = new();
    private readonly Task _running;
    private string? _failure;
    private int _connections;

    public AmqpWorker(int port, string queue)
    {
        _port = port;
        _queue = queue;
        _running = Task.Run(RunAsync);
    }

    /// <summary>The delivery counts that came with each message, in the order of its deliveries.</summary>
    public IReadOnlyDictionary<LoadMessage, List<long>> Seen => _seen;

    /// <summary>How often it had to connect.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>What becomes of a message.</summary>
    public static Fate FateOf(LoadMessage message) => message.Sequence % 41 == 7 ? Fate.Refused : message.Sequence % 53 == 11 ? Fate.GivenBack : Fate.Done;

    /// <summary>Ends it; what it holds goes back.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running.WaitAsync(TimeSpan.FromMinutes(1));
        _stop.Dispose();
        if (_failure is not null) throw new InvalidOperationException(_failure);
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await ConsumeAsync();
            }
            catch (Exception error) when (error is OperationInterruptedException or AlreadyClosedException or BrokerUnreachableException or IOException or TimeoutException or OperationCanceledException)
            {
                await Task.Delay(100);
            }
        }
    }

    private async Task ConsumeAsync()
    {
        var factory = new ConnectionFactory { HostName = "127.0.0.1", Port = _port, AutomaticRecoveryEnabled = false };
        await using var connection = await factory.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        Interlocked.Increment(ref _connections);
        await channel.BasicQosAsync(0, 50, global: false);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += async (_, delivery) =>
        {
            LoadMessage message;
            try
            {
                message = LoadMessage.Parse(delivery.Body.Span);
            }
            catch (InvalidDataException error)
            {
                Interlocked.CompareExchange(ref _failure, error.Message, null);
                return;
            }
            var count = delivery.BasicProperties.Headers?.TryGetValue("x-delivery-count", out var value) == true ? Convert.ToInt64(value, CultureInfo.InvariantCulture) : 0;
            _seen.GetOrAdd(message, static _ => []).Add(count);
            try
            {
                switch (FateOf(message))
                {
                    case Fate.Refused:
                        await channel.BasicRejectAsync(delivery.DeliveryTag, requeue: false);
                        break;
                    case Fate.GivenBack:
                        await channel.BasicNackAsync(delivery.DeliveryTag, multiple: false, requeue: true);
                        break;
                    default:
                        await channel.BasicAckAsync(delivery.DeliveryTag, multiple: false);
                        break;
                }
            }
            catch (AlreadyClosedException)
            {
                // The message comes again.
            }
        };
        await channel.BasicConsumeAsync(_queue, autoAck: false, consumer);
        while (channel.IsOpen && !_stop.IsCancellationRequested) await Task.Delay(50);
    }
}
