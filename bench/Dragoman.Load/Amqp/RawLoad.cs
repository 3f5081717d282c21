using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using Dragoman.Amqp.Sessions;
using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;
using Dragoman.Load.Reporting;
using Dragoman.Storage.Records;

namespace Dragoman.Load.Amqp;

/// <summary>
/// Load through plain sockets: publishes are encoded once and sent again and again, confirms and deliveries are counted by
/// looking at frame headers, so that nearly all of the work is the broker's. A thread sends and one receives, for each
/// connection.
/// </summary>
internal sealed class RawLoad(AmqpRun run)
{
    /// <summary>Publishes in a block that is sent at once.</summary>
    private const int MaxBlock = 128;

    private const uint AckNumber = 60 << 16 | 80;
    private const uint NackNumber = 60 << 16 | 120;
    private const uint DeliverNumber = 60 << 16 | 60;

    private readonly AmqpLoadOptions _options = run.Options;
    private readonly List<Exception> _failures = [];

    public AmqpLoadResult Run()
    {
        var names = Enumerable.Range(0, _options.Queues).Select(i => $"load-{Guid.NewGuid():N}-{i}").ToArray();
        using var admin = RawAmqpConnection.Open(run.Target);
        foreach (var name in names) admin.Ask(new QueueDeclare { Queue = name, Durable = _options.Safe, Arguments = FieldTable.Empty }, QueueDeclareOk.Id);
        var confirmed = Enumerable.Range(0, _options.Producers).Select(_ => new Latencies()).ToArray();
        var delivered = Enumerable.Range(0, _options.Consumers).Select(_ => new Latencies()).ToArray();
        var connections = new List<RawAmqpConnection>();
        try
        {
            var consumers = delivered.Select((latencies, i) => Start(connections, c => Consume(c, names[i % names.Length], latencies))).ToArray();
            var meter = new CpuMeter(run.Target == _options.Address ? _options.Watch : _options.WatchPeer);
            var begin = Stopwatch.GetTimestamp();
            var producers = confirmed.Select((latencies, i) => Start(connections, c => Produce(c, names[i % names.Length], latencies))).ToArray();
            foreach (var producer in producers) producer.Join();
            var seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
            if (_options.Consumers > 0) Drain();
            if (_options.Consumers > 0) seconds = Stopwatch.GetElapsedTime(begin).TotalSeconds;
            var cpu = meter.Read();
            var watched = run.Target == _options.Address ? _options.Watch : _options.WatchPeer;
            var memory = _options.Consumers == 0 && watched is { } id ? MeasureMemory(id) : default;
            foreach (var connection in connections) connection.Shutdown();
            foreach (var consumer in consumers) consumer.Join();
            foreach (var name in names) admin.Ask(new QueueDelete { Queue = name }, QueueDeleteOk.Id);
            lock (_failures)
                if (_failures.Count > 0) throw new AggregateException(_failures);
            return new AmqpLoadResult
            {
                Target = run.Target,
                Seconds = seconds,
                Published = run.Published,
                Delivered = run.Delivered,
                ConfirmLatency = Latencies.Merge(confirmed),
                DeliveryLatency = Latencies.Merge(delivered),
                Cpu = cpu,
                ResidentBytes = memory?.Resident,
                MostResidentBytes = memory?.Most,
            };
        }
        finally
        {
            foreach (var connection in connections) connection.Dispose();
        }
    }

    private static (long Resident, long Most)? MeasureMemory(int processId)
    {
        Thread.Sleep(5000);
        return (ProcessMemory.Resident(processId), ProcessMemory.MostResident(processId));
    }

    private Thread Start(List<RawAmqpConnection> connections, Action<RawAmqpConnection> work)
    {
        var connection = RawAmqpConnection.Open(run.Target);
        connections.Add(connection);
        var thread = new Thread(() => Guard(() => work(connection))) { IsBackground = true };
        thread.Start();
        return thread;
    }

    private void Guard(Action work)
    {
        try
        {
            work();
        }
        catch (Exception error)
        {
            lock (_failures) _failures.Add(error);
            run.Stop();
        }
    }

    /// <summary>Waits until what was published is delivered, or nothing more comes.</summary>
    private void Drain()
    {
        var last = -1L;
        for (var quiet = 0; run.Delivered < run.Published && quiet < 40;)
        {
            quiet = run.Delivered == last ? quiet + 1 : 0;
            last = run.Delivered;
            Thread.Sleep(50);
        }
        if (run.Delivered < run.Published) throw new InvalidDataException($"Of {run.Published} messages only {run.Delivered} were delivered.");
    }

    /// <summary>A block of publishes and where the times lie in it.</summary>
    private (byte[] Bytes, int[] Times) Encode(string queue, int count)
    {
        using var buffer = new PooledBuffer();
        var body = new byte[_options.MessageBytes];
        new Random(7).NextBytes(body);
        var times = new int[count];
        // Delivery mode and nothing else: 0x1000 is its flag.
        byte[] properties = [0x10, 0x00, _options.Safe ? (byte)2 : (byte)1];
        for (var i = 0; i < count; i++)
        {
            RawAmqpConnection.AddMethod(buffer, RawAmqpConnection.Channel, new BasicPublish { RoutingKey = queue });
            ContentWriter.Write(buffer, RawAmqpConnection.Channel, properties, new ReadOnlySequence<byte>(body), 131072);
            times[i] = buffer.Length - 1 - body.Length;
        }
        return (buffer.WrittenSpan.ToArray(), times);
    }

    private void Produce(RawAmqpConnection connection, string queue, Latencies latencies)
    {
        if (_options.Safe) connection.Ask(default(ConfirmSelect), ConfirmSelectOk.Id);
        var perSecond = _options.Rate / _options.Producers;
        // With a rate, what falls into a millisecond goes together.
        var count = (int)Math.Clamp(_options.Rate > 0 ? perSecond / 1000 : Math.Min(65536 / _options.MessageBytes, _options.InFlight / 4), 1, MaxBlock);
        var (block, times) = Encode(queue, count);
        var window = new Window(_options.InFlight);
        var receiving = new Thread(() => Guard(() => ReceiveConfirms(connection, window, latencies))) { IsBackground = true };
        if (_options.Safe) receiving.Start();
        var begin = Stopwatch.GetTimestamp();
        for (var sent = 0L; !run.IsOver && (_options.Count == 0 || sent < _options.Count); sent += count)
        {
            if (perSecond > 0) WaitUntil(begin, sent / perSecond);
            if (_options.Safe && !window.Take(count)) break;
            var now = Stopwatch.GetTimestamp();
            foreach (var at in times) BinaryPrimitives.WriteInt64BigEndian(block.AsSpan(at), now);
            connection.Send(block);
            if (!_options.Safe) run.NotePublished(count);
        }
        if (_options.Safe && !window.WaitUntilEmpty(TimeSpan.FromSeconds(30)) && !run.IsOver) throw new TimeoutException("Publishes were not confirmed within 30 s of the last.");
        window.Close();
        if (!_options.Safe) connection.Ask(new BasicQos { PrefetchCount = 1 }, BasicQosOk.Id);
    }

    private void ReceiveConfirms(RawAmqpConnection connection, Window window, Latencies latencies)
    {
        while (connection.TryReceive(out var header, out var payload))
        {
            if (header.Type != FrameType.Method) continue;
            var number = BinaryPrimitives.ReadUInt32BigEndian(payload);
            if (number == NackNumber) throw new InvalidDataException("The broker refused a publish.");
            if (number != AckNumber) throw new InvalidDataException($"The broker sent method {number >> 16}.{number & 0xFFFF} to a producer.");
            window.Confirm(BinaryPrimitives.ReadUInt64BigEndian(payload[4..]), (payload[12] & 1) != 0, latencies, run);
        }
    }

    private void Consume(RawAmqpConnection connection, string queue, Latencies latencies)
    {
        if (_options.Safe) connection.Ask(new BasicQos { PrefetchCount = (ushort)_options.Prefetch }, BasicQosOk.Id);
        connection.Ask(new BasicConsume { Queue = queue, ConsumerTag = "c", NoAck = !_options.Safe, Arguments = FieldTable.Empty }, BasicConsumeOk.Id);
        var ack = new byte[FrameHeader.Overhead + 13];
        new FrameHeader(FrameType.Method, RawAmqpConnection.Channel, 13).Write(ack);
        BinaryPrimitives.WriteUInt32BigEndian(ack.AsSpan(FrameHeader.Size), AckNumber);
        ack[^2] = 1;
        ack[^1] = FrameHeader.EndMark;
        ulong tag = 0, acked = 0;
        var count = 0;
        var expectsTime = false;
        while (connection.TryReceive(out var header, out var payload))
        {
            switch (header.Type)
            {
                case FrameType.Method:
                    if (BinaryPrimitives.ReadUInt32BigEndian(payload) != DeliverNumber) throw new InvalidDataException("The broker sent something else than a delivery to a consumer.");
                    tag = BinaryPrimitives.ReadUInt64BigEndian(payload[(5 + payload[4])..]);
                    expectsTime = true;
                    break;
                case FrameType.Body when expectsTime:
                    expectsTime = false;
                    count++;
                    if ((tag & 15) == 0) latencies.RecordSince(BinaryPrimitives.ReadInt64BigEndian(payload));
                    break;
            }
            if (connection.HasFrame && (!_options.Safe || tag - acked < (ulong)_options.Prefetch / 2) && count < 1024) continue;
            run.NoteDelivered(count);
            count = 0;
            if (!_options.Safe || tag == acked || expectsTime) continue;
            acked = tag;
            BinaryPrimitives.WriteUInt64BigEndian(ack.AsSpan(FrameHeader.Size + 4), tag);
            connection.Send(ack);
        }
    }

    private static void WaitUntil(long begin, double seconds)
    {
        while (true)
        {
            var left = seconds - Stopwatch.GetElapsedTime(begin).TotalSeconds;
            if (left <= 0) return;
            if (left > 0.0002) Thread.Sleep(left > 0.002 ? 1 : 0);
        }
    }

    /// <summary>The publishes of a connection that are not confirmed, and when they were sent.</summary>
    private sealed class Window(int size)
    {
        private readonly Lock _lock = new();
        private readonly long[] _times = new long[1 << (32 - int.LeadingZeroCount(2 * size + 2 * MaxBlock))];
        private readonly ManualResetEventSlim _moved = new();
        private ulong _sent;
        private ulong _next = 1;
        private int _open;
        private bool _closed;

        /// <summary>Waits until so many more may be under way.</summary>
        public bool Take(int count)
        {
            while (true)
            {
                lock (_lock)
                {
                    if (_closed) return false;
                    if (_open + count <= Math.Max(size, count))
                    {
                        var now = Stopwatch.GetTimestamp();
                        for (var i = 0; i < count; i++) _times[++_sent & (ulong)(_times.Length - 1)] = now;
                        _open += count;
                        return true;
                    }
                    _moved.Reset();
                }
                if (!_moved.Wait(30_000)) throw new TimeoutException("No publish was confirmed for 30 s.");
            }
        }

        public void Confirm(ulong tag, bool multiple, Latencies latencies, AmqpRun run)
        {
            int count;
            lock (_lock)
            {
                count = 0;
                if (multiple)
                {
                    for (; _next <= tag; _next++) count += Take(_next, latencies);
                }
                else
                {
                    count = Take(tag, latencies);
                }
                _open -= count;
                _moved.Set();
            }
            run.NotePublished(count);
        }

        public bool WaitUntilEmpty(TimeSpan patience)
        {
            var begin = Stopwatch.GetTimestamp();
            while (true)
            {
                lock (_lock)
                    if (_open == 0) return true;
                if (Stopwatch.GetElapsedTime(begin) > patience) return false;
                Thread.Sleep(1);
            }
        }

        public void Close()
        {
            lock (_lock) _closed = true;
            _moved.Set();
        }

        private int Take(ulong tag, Latencies latencies)
        {
            ref var time = ref _times[tag & (ulong)(_times.Length - 1)];
            if (time == 0) return 0;
            if ((tag & 15) == 0) latencies.RecordSince(time);
            time = 0;
            return 1;
        }
    }
}
