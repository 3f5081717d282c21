using System.Diagnostics;
using System.Net;
using System.Text;

namespace Dragoman.Load.Sqs;

/// <summary>
/// Connections that each send a message to one queue, receive one, and delete it, over and over: three requests a cycle, one under
/// way on each. One thread takes the connections in turn, and does no more than read an answer and send the next request: the
/// less the load needs of the machine, the more is left to the server.
/// </summary>
internal sealed class Cycles : IDisposable
{
    private readonly List<Worker> _workers = [];

    public Cycles(IPEndPoint server, string queue, int connections, int bytes)
    {
        string url;
        using (var first = new SqsConnection(server)) url = first.CreateQueue(queue);
        for (var i = 0; i < connections; i++) _workers.Add(new Worker(new SqsConnection(server), url, new string('x', bytes)));
    }

    /// <summary>Runs for a while; returns how many requests were answered, and in how many seconds.</summary>
    public (long Requests, double Seconds) Run(double seconds)
    {
        var active = _workers.Count;
        long answered = 0;
        var start = Stopwatch.GetTimestamp();
        foreach (var worker in _workers) worker.Begin();
        while (active > 0)
        {
            // Whole cycles, so that nothing is left in the queue.
            var isOver = Stopwatch.GetElapsedTime(start).TotalSeconds >= seconds;
            foreach (var worker in _workers)
            {
                if (worker.IsDone) continue;
                worker.Advance(isOver);
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
        private byte[] _delete = [];
        private int _handleLength = -1;
        private int _step;

        public SqsConnection Connection { get; } = connection;

        public bool IsDone { get; private set; }

        public void Begin()
        {
            IsDone = false;
            _step = 0;
            Connection.Send(_send);
        }

        /// <summary>Waits for the answer, and sends the next request.</summary>
        public void Advance(bool isOver)
        {
            ReadOnlySpan<byte> answer;
            while (!Connection.TryReceive(out answer))
            {
            }
            switch (_step++)
            {
                case 0:
                    Connection.Send(_receive);
                    break;
                case 1:
                    var handle = SqsConnection.TextBytes(answer, "\"ReceiptHandle\""u8);
                    if (handle.IsEmpty) throw new IOException("A receive came back empty, though there are as many messages as there are receivers.");
                    Connection.Send(Delete(handle));
                    break;
                default:
                    if (isOver) IsDone = true;
                    else Begin();
                    break;
            }
        }

        /// <summary>The request that deletes a message: of one to the next only the handle differs.</summary>
        private byte[] Delete(ReadOnlySpan<byte> handle)
        {
            if (handle.Length != _handleLength)
            {
                _delete = Connection.Request("DeleteMessage", $$"""{"QueueUrl":"{{queue}}","ReceiptHandle":"{{Encoding.ASCII.GetString(handle)}}"}""");
                _handleLength = handle.Length;
            }
            handle.CopyTo(_delete.AsSpan(_delete.Length - 2 - handle.Length));
            return _delete;
        }
    }
}
