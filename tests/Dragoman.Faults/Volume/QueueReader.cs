using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Dragoman.Faults.Volume;

/// <summary>Consumes numbered messages with the unmodified RabbitMQ.Client: each has to be the next, and none may come twice.</summary>
internal sealed class QueueReader : IAsyncDisposable
{
    private const ushort Prefetch = 2000;
    private const int SettleEvery = 500;

    private readonly IConnection _connection;
    private readonly IChannel _channel;
    private readonly TaskCompletionSource _finished = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly long _count;
    private long _next;

    private QueueReader(IConnection connection, IChannel channel, long count)
    {
        _connection = connection;
        _channel = channel;
        _count = count;
    }

    /// <summary>Ends when all have come and are settled.</summary>
    public Task Finished => WaitAsync();

    /// <summary>Declares the queue and begins to consume.</summary>
    public static async Task<QueueReader> StartAsync(int port, string queue, long count)
    {
        var connection = await Factory(port).CreateConnectionAsync();
        var channel = await connection.CreateChannelAsync();
        await channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false);
        await channel.BasicQosAsync(0, Prefetch, false);
        var reader = new QueueReader(connection, channel, count);
        channel.ChannelShutdownAsync += (_, shutdown) =>
        {
            reader._finished.TrySetException(new InvalidOperationException($"The channel was closed: {shutdown.ReplyText}"));
            return Task.CompletedTask;
        };
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += reader.ReceiveAsync;
        await channel.BasicConsumeAsync(queue, autoAck: false, consumer);
        return reader;
    }

    /// <summary>Messages that wait in the queue.</summary>
    public static async Task<uint> CountAsync(int port, string queue)
    {
        await using var connection = await Factory(port).CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        return (await channel.QueueDeclarePassiveAsync(queue)).MessageCount;
    }

    public async ValueTask DisposeAsync()
    {
        await _channel.DisposeAsync();
        await _connection.DisposeAsync();
    }

    private static ConnectionFactory Factory(int port) => new() { HostName = "127.0.0.1", Port = port, AutomaticRecoveryEnabled = false };

    private async Task ReceiveAsync(object sender, BasicDeliverEventArgs delivery)
    {
        try
        {
            var number = NumberedMessage.Read(delivery.Body.Span);
            if (number != _next || delivery.Redelivered) throw new InvalidDataException($"Message {number}{(delivery.Redelivered ? ", redelivered," : "")} came where message {_next} should be.");
            Volatile.Write(ref _next, number + 1);
            if (_next % SettleEvery == 0 || _next == _count) await _channel.BasicAckAsync(delivery.DeliveryTag, multiple: true);
            if (_next == _count) _finished.TrySetResult();
        }
        catch (Exception error) when (error is InvalidDataException or RabbitMQ.Client.Exceptions.RabbitMQClientException)
        {
            _finished.TrySetException(error);
        }
    }

    private async Task WaitAsync()
    {
        for (var before = -1L; ;)
        {
            if (await Task.WhenAny(_finished.Task, Task.Delay(TimeSpan.FromMinutes(2))) == _finished.Task) break;
            var now = Volatile.Read(ref _next);
            if (now == before) throw new TimeoutException($"{now} of {_count} messages came, and then nothing for two minutes.");
            before = now;
        }
        await _finished.Task;
    }
}
