using System.Diagnostics;
using System.Globalization;
using Dragoman.Amqp.Sessions;
using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;
using Dragoman.Load.Amqp;
using Dragoman.Load.Reporting;
using Dragoman.Storage.Records;

namespace Dragoman.Load.Management;

/// <summary>Many queues, bindings and connections at a broker.</summary>
internal sealed class Topology(string address, int queues, int bindings, int connections) : IDisposable
{
    private const int Workers = 16;
    private const ushort HeartbeatSeconds = 60;
    private const string Exchange = "events";

    private static readonly TimeSpan SignOfLife = TimeSpan.FromSeconds(HeartbeatSeconds / 2);
    private static readonly byte[] Heartbeat = [(byte)FrameType.Heartbeat, 0, 0, 0, 0, 0, 0, FrameHeader.EndMark];

    private readonly List<RawAmqpConnection> _idle = [];

    /// <summary>Declares the queues, over several connections at a time.</summary>
    public async Task<Percentiles> DeclareAsync()
    {
        var latencies = new Latencies[Workers];
        await RunAsync((connection, worker) =>
        {
            latencies[worker] = new Latencies();
            for (var queue = worker; queue < queues; queue += Workers) Declare(connection, NameOf(queue), latencies[worker]);
        });
        return Latencies.Merge(latencies);
    }

    /// <summary>Declares more queues, one after the other.</summary>
    public Percentiles DeclareMore(int count)
    {
        var latencies = new Latencies();
        using var connection = RawAmqpConnection.Open(address);
        for (var i = 0; i < count; i++) Declare(connection, $"more-{i.ToString(CultureInfo.InvariantCulture)}", latencies);
        return Latencies.Merge([latencies]);
    }

    /// <summary>Binds the queues to one topic exchange.</summary>
    public async Task BindAsync()
    {
        using (var connection = RawAmqpConnection.Open(address))
            connection.Ask(new ExchangeDeclare { Exchange = Exchange, Type = "topic", Durable = true, Arguments = FieldTable.Empty }, ExchangeDeclareOk.Id);
        await RunAsync((connection, worker) =>
        {
            for (var binding = worker; binding < bindings; binding += Workers)
            {
                var key = string.Create(CultureInfo.InvariantCulture, $"region-{binding % 7}.kind-{binding / queues}.{binding % queues}");
                connection.Ask(new QueueBind { Queue = NameOf(binding % queues), Exchange = Exchange, RoutingKey = key, Arguments = FieldTable.Empty }, QueueBindOk.Id);
            }
        });
    }

    /// <summary>Opens connections, each with a consumer of one queue.</summary>
    public void Connect()
    {
        for (var i = 0; i < connections; i++)
        {
            var connection = RawAmqpConnection.Open(address, HeartbeatSeconds, bytes: 4096);
            _idle.Add(connection);
            connection.Ask(new BasicQos { PrefetchCount = 10 }, BasicQosOk.Id);
            connection.Ask(new BasicConsume { Queue = NameOf(i % queues), ConsumerTag = "idle", Arguments = FieldTable.Empty }, BasicConsumeOk.Id);
        }
    }

    /// <summary>Leaves a few messages in queues that nobody consumes from.</summary>
    public void Publish()
    {
        using var connection = RawAmqpConnection.Open(address);
        using var buffer = new PooledBuffer();
        for (var queue = connections; queue < queues; queue += 10)
        {
            buffer.Clear();
            for (var message = 0; message <= queue % 5; message++)
            {
                RawAmqpConnection.AddMethod(buffer, RawAmqpConnection.Channel, new BasicPublish { Exchange = "", RoutingKey = NameOf(queue) });
                ContentWriter.Write(buffer, RawAmqpConnection.Channel, [0, 0], "message"u8, 131072);
            }
            connection.Send(buffer.WrittenSpan);
        }
        // Answered when all before it is done.
        connection.Ask(new QueueDeclare { Queue = NameOf(0), Passive = true, Arguments = FieldTable.Empty }, QueueDeclareOk.Id);
    }

    /// <summary>Measures how much of a core a process uses while the connections are there and nothing happens but signs of life.</summary>
    public async Task<double> IdleAsync(int process, double seconds, CancellationToken cancellation)
    {
        var cpu = new CpuMeter(process);
        var start = Stopwatch.GetTimestamp();
        var step = SignOfLife / Math.Max(1, _idle.Count);
        // One after the other, as clients that know nothing of each other do.
        for (var next = 0; Stopwatch.GetElapsedTime(start).TotalSeconds < seconds; next++)
        {
            if (_idle.Count > 0) _idle[next % _idle.Count].Send(Heartbeat);
            await Task.Delay(step > TimeSpan.FromMilliseconds(1) ? step : TimeSpan.FromMilliseconds(1), cancellation);
        }
        return cpu.Read().WatchedShare ?? double.NaN;
    }

    public void Dispose()
    {
        foreach (var connection in _idle) connection.Dispose();
    }

    private static string NameOf(int queue) => $"queue-{queue.ToString("D5", CultureInfo.InvariantCulture)}";

    private static void Declare(RawAmqpConnection connection, string name, Latencies latencies)
    {
        var start = Stopwatch.GetTimestamp();
        connection.Ask(new QueueDeclare { Queue = name, Durable = true, Arguments = FieldTable.Empty }, QueueDeclareOk.Id);
        latencies.RecordSince(start);
    }

    private Task RunAsync(Action<RawAmqpConnection, int> work) => Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Factory.StartNew(
        () =>
        {
            using var connection = RawAmqpConnection.Open(address, bytes: 65536);
            work(connection, worker);
        },
        CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)));
}
