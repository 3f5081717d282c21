using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Dragoman.Load.Reporting;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace Dragoman.Load.Amqp;

/// <summary>Load through RabbitMQ.Client: what an application sees, the client's own cost included.</summary>
internal sealed class ClientLoad(AmqpRun run)
{
    private readonly AmqpLoadOptions _options = run.Options;

    public async Task<AmqpLoadResult> RunAsync()
    {
        var colon = run.Target.LastIndexOf(':');
        var factory = new ConnectionFactory { HostName = run.Target[..colon], Port = int.Parse(run.Target[(colon + 1)..], CultureInfo.InvariantCulture), AutomaticRecoveryEnabled = false };
        var names = Enumerable.Range(0, _options.Queues).Select(i => $"load-{Guid.NewGuid():N}-{i}").ToArray();
        await using var admin = await factory.CreateConnectionAsync();
        await using var adminChannel = await admin.CreateChannelAsync();
        foreach (var name in names) await adminChannel.QueueDeclareAsync(name, durable: _options.Safe, exclusive: false, autoDelete: false);
        var confirmed = Enumerable.Range(0, _options.Producers).Select(_ => new Latencies()).ToArray();
        var delivered = Enumerable.Range(0, _options.Consumers).Select(_ => new Latencies()).ToArray();
        var consumers = new List<IConnection>();
        for (var i = 0; i < _options.Consumers; i++) consumers.Add(await ConsumeAsync(factory, names[i % names.Length], delivered[i]));
        var meter = new CpuMeter(run.Target == _options.Address ? _options.Watch : _options.WatchPeer);
        var begin = Stopwatch.GetTimestamp();
        await Task.WhenAll(confirmed.Select((latencies, i) => Task.Run(() => ProduceAsync(factory, names[i % names.Length], latencies))));
        var last = -1L;
        for (var quiet = 0; _options.Consumers > 0 && run.Delivered < run.Published && quiet < 40;)
        {
            quiet = run.Delivered == last ? quiet + 1 : 0;
            last = run.Delivered;
            await Task.Delay(50);
        }
        var seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
        var cpu = meter.Read();
        foreach (var consumer in consumers) await consumer.DisposeAsync();
        foreach (var name in names) await adminChannel.QueueDeleteAsync(name);
        return new AmqpLoadResult
        {
            Target = run.Target,
            Seconds = seconds,
            Published = run.Published,
            Delivered = run.Delivered,
            ConfirmLatency = Latencies.Merge(confirmed),
            DeliveryLatency = Latencies.Merge(delivered),
            Cpu = cpu,
        };
    }

    private async Task ProduceAsync(ConnectionFactory factory, string queue, Latencies latencies)
    {
        await using var connection = await factory.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(_options.Safe, _options.Safe));
        var properties = new BasicProperties { DeliveryMode = _options.Safe ? DeliveryModes.Persistent : DeliveryModes.Transient };
        using var window = new SemaphoreSlim(_options.InFlight);
        var perSecond = _options.Rate / _options.Producers;
        var pending = new ConcurrentDictionary<long, Task>();
        var begin = Stopwatch.GetTimestamp();
        for (var sent = 0L; !run.IsOver && (_options.Count == 0 || sent < _options.Count); sent++)
        {
            while (perSecond > 0 && sent / perSecond > Stopwatch.GetElapsedTime(begin).TotalSeconds) await Task.Delay(1);
            await window.WaitAsync();
            // The client keeps the body until it is written, so each message has its own.
            var body = new byte[_options.MessageBytes];
            BinaryPrimitives.WriteInt64BigEndian(body, Stopwatch.GetTimestamp());
            var publishing = channel.BasicPublishAsync("", queue, mandatory: false, properties, body);
            if (!_options.Safe) await publishing;
            var number = sent;
            pending[number] = FinishAsync(_options.Safe ? publishing : default, body, number);
        }
        await Task.WhenAll(pending.Values);

        async Task FinishAsync(ValueTask publishing, byte[] body, long number)
        {
            await publishing;
            latencies.RecordSince(BinaryPrimitives.ReadInt64BigEndian(body));
            run.NotePublished(1);
            window.Release();
            pending.TryRemove(number, out _);
        }
    }

    private async Task<IConnection> ConsumeAsync(ConnectionFactory factory, string queue, Latencies latencies)
    {
        var connection = await factory.CreateConnectionAsync();
        var channel = await connection.CreateChannelAsync();
        if (_options.Safe) await channel.BasicQosAsync(0, (ushort)_options.Prefetch, global: false);
        var consumer = new AsyncEventingBasicConsumer(channel);
        consumer.ReceivedAsync += async (_, delivery) =>
        {
            latencies.RecordSince(BinaryPrimitives.ReadInt64BigEndian(delivery.Body.Span));
            run.NoteDelivered(1);
            if (_options.Safe) await channel.BasicAckAsync(delivery.DeliveryTag, multiple: false);
        };
        await channel.BasicConsumeAsync(queue, autoAck: !_options.Safe, consumer);
        return connection;
    }
}
