using System.Diagnostics;
using System.Net;
using Dragoman.Load.Reporting;

namespace Dragoman.Load.Sqs;

/// <summary>Receives that wait.</summary>
internal static class LongPolls
{
    private const int Queues = 10;

    /// <summary>One receiver that waits on an empty queue, again and again: how long it takes from sending to having the message.</summary>
    public static Percentiles WakeUps(IPEndPoint server, string queue, int count)
    {
        using var receiver = new SqsConnection(server);
        using var sender = new SqsConnection(server);
        var url = receiver.CreateQueue(queue);
        var receive = receiver.Request("ReceiveMessage", $$"""{"QueueUrl":"{{url}}","WaitTimeSeconds":20}""");
        var send = sender.Request("SendMessage", $$"""{"QueueUrl":"{{url}}","MessageBody":"wake up"}""");
        var latencies = new Latencies();
        for (var i = 0; i < count; i++)
        {
            receiver.Send(receive);
            // The receive has to be waiting by then.
            Thread.Sleep(5);
            var start = Stopwatch.GetTimestamp();
            sender.Send(send);
            var handle = SqsConnection.Text(System.Text.Encoding.UTF8.GetBytes(receiver.Receive()), "\"ReceiptHandle\""u8) ?? throw new IOException("A receive that waited came back empty.");
            latencies.RecordSince(start);
            sender.Receive();
            receiver.Call("DeleteMessage", $$"""{"QueueUrl":"{{url}}","ReceiptHandle":"{{handle}}"}""");
        }
        return Latencies.Merge([latencies]);
    }

    /// <summary>Receivers that wait on empty queues, and ask again when their time is up: the share of a core that the server needs for them.</summary>
    public static async Task<double> IdleAsync(IPEndPoint server, int process, int pollers, double seconds, CancellationToken cancellation)
    {
        var connections = new List<SqsConnection>();
        try
        {
            var urls = new string[Queues];
            using (var first = new SqsConnection(server))
            {
                for (var i = 0; i < Queues; i++) urls[i] = first.CreateQueue($"idle-{i}");
            }
            using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            var polls = new List<Task>();
            for (var i = 0; i < pollers; i++)
            {
                var connection = new SqsConnection(server);
                connections.Add(connection);
                polls.Add(PollAsync(connection, urls[i % Queues], ends.Token));
            }
            await Task.Delay(TimeSpan.FromSeconds(2), cancellation);
            var cpu = new CpuMeter(process);
            await Task.Delay(TimeSpan.FromSeconds(seconds), cancellation);
            var share = cpu.Read().WatchedShare!.Value;
            await ends.CancelAsync();
            foreach (var poll in polls)
            {
                try
                {
                    await poll;
                }
                catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
                {
                    // Its time is over.
                }
            }
            return share;
        }
        finally
        {
            foreach (var connection in connections) connection.Dispose();
        }
    }

    private static async Task PollAsync(SqsConnection connection, string url, CancellationToken cancellation)
    {
        var request = connection.Request("ReceiveMessage", $$"""{"QueueUrl":"{{url}}","WaitTimeSeconds":20}""");
        while (true)
        {
            connection.Send(request);
            await connection.ReceiveAsync(cancellation);
        }
    }
}
