using System.Buffers;
using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Faults.Hostile;

/// <summary>
/// Ways to misuse a Kafka port. Each makes its connections, does its worst, and holds on for as long as it may: until
/// it is cancelled, or has nothing more to do.
/// </summary>
internal static class Attacks
{
    private const short Produce = 0;
    private const short Fetch = 1;

    public static IReadOnlyDictionary<string, Func<IPEndPoint, string, CancellationToken, Task>> All { get; } = new Dictionary<string, Func<IPEndPoint, string, CancellationToken, Task>>
    {
        ["random bytes"] = RandomBytesAsync,
        ["TLS handshakes"] = TlsAsync,
        ["HTTP requests"] = HttpAsync,
        ["a length of two gigabytes"] = TwoGigabytesAsync,
        ["one byte a second"] = DripAsync,
        ["a thousand idle connections"] = IdleAsync,
        ["fetches whose answers are never read"] = NeverReadAsync,
        ["requests that are nonsense"] = NonsenseAsync,
        ["connections that are reset"] = ResetAsync,
        ["large requests that never end"] = HalfSentAsync,
        ["many requests that never end"] = ManyHalfSentAsync,
    };

    private static Task RandomBytesAsync(IPEndPoint broker, string topic, CancellationToken cancellation) => ManyAsync(200, async n =>
    {
        var random = new Random(n);
        using var client = await RawClient.ConnectAsync(broker, cancellation);
        for (var i = 0; i < 20; i++)
        {
            var bytes = new byte[random.Next(1, 4096)];
            random.NextBytes(bytes);
            if (!await client.SendAsync(bytes, cancellation)) return;
        }
        // Random lengths are mostly refused; what looks like a length in bounds is waited for.
    });

    private static Task TlsAsync(IPEndPoint broker, string topic, CancellationToken cancellation) => ManyAsync(50, async _ =>
    {
        using var client = new TcpClient();
        await client.ConnectAsync(broker, cancellation);
        await using var tls = new SslStream(client.GetStream());
        await Assert.ThrowsAnyAsync<IOException>(() => tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" }, cancellation));
    });

    private static Task HttpAsync(IPEndPoint broker, string topic, CancellationToken cancellation) => ManyAsync(50, async n =>
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(n % 2 == 0 ? HttpMethod.Get : HttpMethod.Post, new Uri($"http://{broker}/topics"));
        if (n % 2 == 1) request.Content = new ByteArrayContent(new byte[100_000]);
        await Assert.ThrowsAsync<HttpRequestException>(() => http.SendAsync(request, cancellation));
    });

    private static Task TwoGigabytesAsync(IPEndPoint broker, string topic, CancellationToken cancellation) => ManyAsync(50, async n =>
    {
        using var client = await RawClient.ConnectAsync(broker, cancellation);
        await client.SendAsync(RawClient.RequestHead(int.MaxValue, n % 2 == 0 ? Produce : Fetch, 3), cancellation);
        var chunk = new byte[1 << 20];
        for (var sent = 0; sent < 64 && await client.SendAsync(chunk, cancellation); sent++)
        {
        }
        await client.WaitForCloseAsync(cancellation);
    });

    private static Task DripAsync(IPEndPoint broker, string topic, CancellationToken cancellation) => ManyAsync(50, async _ =>
    {
        using var client = await RawClient.ConnectAsync(broker, cancellation);
        foreach (var b in RawClient.RequestHead(1000, Produce, 9))
        {
            if (!await client.SendAsync(new[] { b }, cancellation)) return;
            await Task.Delay(1000, cancellation);
        }
    });

    private static Task IdleAsync(IPEndPoint broker, string topic, CancellationToken cancellation) => ManyAsync(1000, async _ =>
    {
        using var client = await RawClient.ConnectAsync(broker, cancellation);
        await Task.Delay(Timeout.Infinite, cancellation);
    });

    private static Task NeverReadAsync(IPEndPoint broker, string topic, CancellationToken cancellation) => ManyAsync(30, async n =>
    {
        using var client = await RawClient.ConnectAsync(broker, cancellation);
        var output = new ArrayBufferWriter<byte>();
        if (n % 3 == 0)
        {
            KafkaFrame.WriteRequest(output, 1, "never-reads", 9, new MetadataRequest { Topics = null });
        }
        else
        {
            KafkaFrame.WriteRequest(output, 1, "never-reads", 11, new FetchRequest
            {
                MaxWaitMs = 1000,
                MinBytes = 1,
                MaxBytes = int.MaxValue,
                Topics = [new() { Topic = topic, Partitions = [new() { Partition = 0, FetchOffset = 0, PartitionMaxBytes = int.MaxValue }] }],
            });
        }
        for (var sent = 0; sent < 100_000 && await client.SendAsync(output.WrittenMemory, cancellation); sent++)
        {
        }
        await Task.Delay(Timeout.Infinite, cancellation);
    });

    private static Task NonsenseAsync(IPEndPoint broker, string topic, CancellationToken cancellation) => ManyAsync(300, async n =>
    {
        var random = new Random(n);
        using var client = await RawClient.ConnectAsync(broker, cancellation);
        var frame = new byte[random.Next(14, 2000)];
        random.NextBytes(frame);
        RawClient.RequestHead(frame.Length - 4, (short)random.Next(-2, 90), (short)random.Next(-1, 18)).CopyTo(frame.AsSpan());
        BinaryPrimitives.WriteInt16BigEndian(frame.AsSpan(12), (short)random.Next(-2, 20));
        await client.SendAsync(frame, cancellation);
        await Task.WhenAny(client.WaitForCloseAsync(cancellation), Task.Delay(1000, cancellation));
    });

    private static Task ResetAsync(IPEndPoint broker, string topic, CancellationToken cancellation) => ManyAsync(500, async n =>
    {
        using var client = await RawClient.ConnectAsync(broker, cancellation);
        await client.SendAsync(RawClient.RequestHead(500, Produce, 9).AsMemory(0, n % 14), cancellation);
        client.Reset();
    });

    private static Task HalfSentAsync(IPEndPoint broker, string topic, CancellationToken cancellation) => UnfinishedAsync(8, 100 << 20, broker, cancellation);

    private static Task ManyHalfSentAsync(IPEndPoint broker, string topic, CancellationToken cancellation) => UnfinishedAsync(400, 1 << 20, broker, cancellation);

    /// <summary>Requests that announce a length which is allowed, and stop just before it.</summary>
    private static Task UnfinishedAsync(int connections, int length, IPEndPoint broker, CancellationToken cancellation) => ManyAsync(connections, async _ =>
    {
        using var client = await RawClient.ConnectAsync(broker, cancellation);
        await client.SendAsync(RawClient.RequestHead(length, Produce, 9), cancellation);
        var chunk = new byte[64 << 10];
        for (var left = length - (1 << 10); left > chunk.Length; left -= chunk.Length)
            if (!await client.SendAsync(chunk, cancellation)) return;
        await client.WaitForCloseAsync(cancellation);
    });

    /// <summary>Runs connections side by side; that they are cut off, by either side, is their fate.</summary>
    private static async Task ManyAsync(int connections, Func<int, Task> attack)
    {
        await Task.WhenAll(Enumerable.Range(0, connections).Select(async n =>
        {
            try
            {
                await attack(n);
            }
            catch (OperationCanceledException)
            {
                // The time is up.
            }
        }));
    }
}
