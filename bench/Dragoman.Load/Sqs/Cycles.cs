using System.Diagnostics;
using System.Net;
using System.Text;

namespace Dragoman.Load.Sqs;

/// <summary>
/// Connections that each send messages to one queue, receive as many, and delete them, over and over: three requests a cycle, one
/// under way on each. One thread takes the connections in turn, and does no more than read an answer and send the next request: the
/// less the load needs of the machine, the more is left to the server.
/// </summary>
internal sealed class Cycles : IDisposable
{
    private readonly List<Worker> _workers = [];

    public Cycles(IPEndPoint server, string queue, int connections, int bytes, int batch)
    {
        string url;
        using (var first = new SqsConnection(server)) url = first.CreateQueue(queue);
        for (var i = 0; i < connections; i++) _workers.Add(new Worker(new SqsConnection(server), url, new string('x', bytes), batch));
    }

    /// <summary>Runs for a while; returns how many requests were answered, how many messages went through, and in how many seconds.</summary>
    public (long Requests, long Messages, double Seconds) Run(double seconds)
    {
        var active = _workers.Count;
        var (answered, messages) = (0L, 0L);
        var start = Stopwatch.GetTimestamp();
        foreach (var worker in _workers) worker.Begin();
        while (active > 0)
        {
            // Whole cycles, so that nothing is left in the queue.
            var isOver = Stopwatch.GetElapsedTime(start).TotalSeconds >= seconds;
            foreach (var worker in _workers)
            {
                if (worker.IsDone) continue;
                messages += worker.Advance(isOver);
                answered++;
                if (worker.IsDone) active--;
            }
        }
        return (answered, messages, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    public void Dispose()
    {
        foreach (var worker in _workers) worker.Connection.Dispose();
    }

    private sealed class Worker(SqsConnection connection, string queue, string body, int batch)
    {
        private readonly byte[] _send = batch == 1
            ? connection.Request("SendMessage", $$"""{"QueueUrl":"{{queue}}","MessageBody":"{{body}}"}""")
            : connection.Request("SendMessageBatch", $$"""{"QueueUrl":"{{queue}}","Entries":[{{Entries(batch, _ => $"\"MessageBody\":\"{body}\"")}}]}""");
        private readonly byte[] _receive = connection.Request("ReceiveMessage", $$"""{"QueueUrl":"{{queue}}","MaxNumberOfMessages":{{batch}}}""");
        private readonly byte[][] _handles = new byte[batch][];
        private readonly int[] _places = new int[batch];
        private byte[] _delete = [];
        private int _deletes;
        private int _step;

        public SqsConnection Connection { get; } = connection;

        public bool IsDone { get; private set; }

        public void Begin()
        {
            IsDone = false;
            _step = 0;
            Connection.Send(_send);
        }

        /// <summary>Waits for the answer, and sends the next request; returns how many messages were deleted.</summary>
        public int Advance(bool isOver)
        {
            ReadOnlySpan<byte> answer;
            while (!Connection.TryReceive(out answer))
            {
            }
            switch (_step++)
            {
                case 0:
                    Connection.Send(_receive);
                    return 0;
                case 1:
                    Connection.Send(Delete(answer));
                    return 0;
                default:
                    if (batch > 1 && answer.IndexOf("\"Failed\":[{"u8) >= 0) throw new IOException($"Not all of a batch was deleted: {Encoding.UTF8.GetString(answer)}");
                    if (isOver) IsDone = true;
                    else Begin();
                    return _deletes;
            }
        }

        /// <summary>The request that deletes what was received: of one to the next only the handles differ.</summary>
        private byte[] Delete(ReadOnlySpan<byte> answer)
        {
            var count = 0;
            var isSame = true;
            for (var rest = answer; count < batch && SqsConnection.TextBytes(rest, "\"ReceiptHandle\""u8, out var after) is { IsEmpty: false } handle; count++)
            {
                if (_handles[count] is { } known && known.Length == handle.Length)
                {
                    handle.CopyTo(known);
                }
                else
                {
                    _handles[count] = handle.ToArray();
                    isSame = false;
                }
                rest = rest[after..];
            }
            if (count == 0) throw new IOException("A receive came back empty, though there are as many messages as there are receivers.");
            if (isSame && count == _deletes)
            {
                for (var i = 0; i < count; i++) _handles[i].CopyTo(_delete.AsSpan(_places[i]));
                return _delete;
            }
            _delete = batch == 1
                ? Connection.Request("DeleteMessage", $$"""{"QueueUrl":"{{queue}}","ReceiptHandle":"{{Handle(0)}}"}""")
                : Connection.Request("DeleteMessageBatch", $$"""{"QueueUrl":"{{queue}}","Entries":[{{Entries(count, i => $"\"ReceiptHandle\":\"{Handle(i)}\"")}}]}""");
            for (var i = 0; i < count; i++) _places[i] = _delete.AsSpan().IndexOf(_handles[i]);
            _deletes = count;
            return _delete;
        }

        private string Handle(int index) => Encoding.ASCII.GetString(_handles[index]);

        private static string Entries(int count, Func<int, string> entry) => string.Join(',', Enumerable.Range(0, count).Select(i => $$"""{"Id":"e{{i}}",{{entry(i)}}}"""));
    }
}
