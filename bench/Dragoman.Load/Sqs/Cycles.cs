using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Dragoman.Load.Sqs;

/// <summary>
/// Connections that each send a message to one queue, receive one, and delete it, over and over: three requests a cycle, on one
/// thread that waits for all sockets together.
/// </summary>
internal sealed class Cycles : IDisposable
{
    private readonly List<Worker> _workers = [];
    private readonly Dictionary<Socket, Worker> _bySocket = [];

    public Cycles(IPEndPoint server, string queue, int connections, int bytes)
    {
        string url;
        using (var first = new SqsConnection(server)) url = first.CreateQueue(queue);
        for (var i = 0; i < connections; i++)
        {
            var worker = new Worker(new SqsConnection(server), url, new string('x', bytes));
            _workers.Add(worker);
            _bySocket[worker.Connection.Socket] = worker;
        }
    }

    /// <summary>Runs for a while; returns how many requests were answered, and in how many seconds.</summary>
    public (long Requests, double Seconds) Run(double seconds)
    {
        var ready = new List<Socket>(_workers.Count);
        var active = _workers.Count;
        long answered = 0;
        var start = Stopwatch.GetTimestamp();
        foreach (var worker in _workers) worker.Begin();
        while (active > 0)
        {
            ready.Clear();
            foreach (var worker in _workers)
                if (!worker.IsDone) ready.Add(worker.Connection.Socket);
            Socket.Select(ready, null, null, 1_000_000);
            // Whole cycles, so that nothing is left in the queue.
            var isOver = Stopwatch.GetElapsedTime(start).TotalSeconds >= seconds;
            foreach (var socket in ready)
            {
                var worker = _bySocket[socket];
                if (!worker.TryAdvance(isOver)) continue;
                answered++;
                if (worker.IsDone) active--;
            }
        }
        return (answered, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    public void Dispose()
    {
        foreach (var worker in _workers) worker.Connection.Dispose();
    }

    private sealed class Worker(SqsConnection connection, string queue, string body)
    {
        private readonly byte[] _send = connection.Request("SendMessage", $$"""{"QueueUrl":"{{queue}}","MessageBody":"{{body}}"}""");
        private readonly byte[] _receive = connection.Request("ReceiveMessage", $$"""{"QueueUrl":"{{queue}}","MaxNumberOfMessages":1}""");
        private int _step;

        public SqsConnection Connection { get; } = connection;

        public bool IsDone { get; private set; }

        public void Begin()
        {
            IsDone = false;
            _step = 0;
            Connection.Send(_send);
        }

        /// <summary>Takes what came; whether a request was answered.</summary>
        public bool TryAdvance(bool isOver)
        {
            if (!Connection.TryReceive(out var answer)) return false;
            switch (_step++)
            {
                case 0:
                    Connection.Send(_receive);
                    break;
                case 1 when SqsConnection.Text(answer, "\"ReceiptHandle\""u8) is { } handle:
                    Connection.Send(Connection.Request("DeleteMessage", $$"""{"QueueUrl":"{{queue}}","ReceiptHandle":"{{handle}}"}"""));
                    break;
                case 1:
                    throw new IOException("A receive came back empty, though there are as many messages as there are receivers.");
                default:
                    if (isOver) IsDone = true;
                    else Begin();
                    break;
            }
            return true;
        }
    }
}
