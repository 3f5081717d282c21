using RabbitMQ.Client;

namespace Dragoman.Faults.Volume;

/// <summary>Publishes numbered messages with the unmodified RabbitMQ.Client, persistent, so many on their way at a time, until all are confirmed.</summary>
internal sealed class QueueWriter : IAsyncDisposable
{
    private const int Window = 4000;

    private readonly IConnection _connection;
    private readonly IChannel _channel;
    private readonly SemaphoreSlim _window = new(Window, Window);
    private readonly TaskCompletionSource _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HashSet<ulong> _ahead = [];
    private ulong _upTo;

    private QueueWriter(IConnection connection, IChannel channel)
    {
        _connection = connection;
        _channel = channel;
        channel.BasicAcksAsync += (_, confirm) =>
        {
            Confirm(confirm.DeliveryTag, confirm.Multiple);
            return Task.CompletedTask;
        };
        channel.BasicNacksAsync += (_, refused) => Fail($"message {refused.DeliveryTag - 1} was refused");
        channel.ChannelShutdownAsync += (_, shutdown) => Fail(shutdown.ReplyText);
    }

    public static async Task<QueueWriter> StartAsync(int port)
    {
        var connection = await new ConnectionFactory { HostName = "127.0.0.1", Port = port, AutomaticRecoveryEnabled = false }.CreateConnectionAsync();
        // The client's own waiting for confirms is for one message at a time; this counts them.
        return new QueueWriter(connection, await connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: false)));
    }

    /// <summary>Publishes so many, and returns when all are confirmed.</summary>
    public async Task WriteAsync(string queue, int count)
    {
        var properties = new BasicProperties { DeliveryMode = DeliveryModes.Persistent };
        for (long number = 0; number < count; number++)
        {
            await TakeAsync();
            await _channel.BasicPublishAsync("", queue, mandatory: true, properties, NumberedMessage.Make(number));
        }
        for (var i = 0; i < Window; i++) await TakeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _channel.DisposeAsync();
        await _connection.DisposeAsync();
        _window.Dispose();
    }

    private async ValueTask TakeAsync()
    {
        if (_window.Wait(0)) return;
        var room = _window.WaitAsync(TimeSpan.FromMinutes(2));
        await Task.WhenAny(room, _failed.Task);
        if (_failed.Task.IsCompleted) await _failed.Task;
        if (!await room) throw new TimeoutException($"Nothing was confirmed for two minutes after message {_upTo}.");
    }

    private void Confirm(ulong tag, bool multiple)
    {
        var before = _upTo + (ulong)_ahead.Count;
        if (!multiple) _ahead.Add(tag);
        else if (tag > _upTo)
        {
            _ahead.RemoveWhere(single => single <= tag);
            _upTo = tag;
        }
        while (_ahead.Remove(_upTo + 1)) _upTo++;
        var confirmed = (int)(_upTo + (ulong)_ahead.Count - before);
        if (confirmed > 0) _window.Release(confirmed);
    }

    private Task Fail(string why)
    {
        _failed.TrySetException(new InvalidOperationException($"The broker refused to go on: {why}"));
        return Task.CompletedTask;
    }
}
