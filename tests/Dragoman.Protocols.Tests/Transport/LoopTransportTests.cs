using System.Buffers;
using System.Net;
using System.Net.Sockets;
using Dragoman.Protocols.Transport.Loops;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dragoman.Protocols.Tests.Transport;

/// <summary>Connections that loops serve behave as Kestrel's own do.</summary>
public sealed class LoopTransportTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Bytes_come_back_in_order_whatever_their_pieces_on_many_connections(bool leavesLoops)
    {
        await using var server = await Server.StartAsync(EchoAsync, leavesLoops);
        await Task.WhenAll(Enumerable.Range(0, 30).Select(async seed =>
        {
            var random = new Random(seed);
            using var client = await server.ConnectAsync();
            var sent = new byte[300_000];
            random.NextBytes(sent);
            var reading = ReadAsync(client, sent.Length);
            for (var at = 0; at < sent.Length;)
            {
                var size = Math.Min(random.Next(1, random.Next(2) == 0 ? 100 : 60_000), sent.Length - at);
                await client.SendAsync(sent.AsMemory(at, size));
                at += size;
            }
            Assert.Equal(sent, await reading.WaitAsync(Patience));
        }));
    }

    [Fact]
    public async Task A_client_that_does_not_read_holds_up_its_own_connection_alone()
    {
        await using var server = await Server.StartAsync(EchoAsync);
        using var stuck = await server.ConnectAsync();
        // More than all buffers on the way hold.
        var data = new byte[64 << 20];
        var sending = stuck.SendAsync(data.AsMemory()).AsTask();
        using var other = await server.ConnectAsync();
        for (var i = 0; i < 100; i++)
        {
            await other.SendAsync(data.AsMemory(0, 1000));
            Assert.Equal(1000, (await ReadAsync(other, 1000)).Length);
        }
        Assert.False(sending.IsCompleted);
        // What was sent comes back once it is read.
        Assert.Equal(data.Length, (await ReadAsync(stuck, data.Length)).Length);
        Assert.Equal(data.Length, await sending.WaitAsync(Patience));
    }

    [Fact]
    public async Task Handlers_that_block_hold_up_nobody_where_they_leave_the_loops()
    {
        // More than there are loops: each of them has one that blocks.
        var blocked = Math.Min(Environment.ProcessorCount, 8);
        using var all = new CountdownEvent(blocked);
        using var release = new ManualResetEventSlim();
        await using var server = await Server.StartAsync(
            async connection =>
            {
                var result = await connection.Transport.Input.ReadAsync();
                if (result.Buffer.FirstSpan[0] == 'b')
                {
                    all.Signal();
                    release.Wait(Patience);
                }
                connection.Transport.Input.AdvanceTo(result.Buffer.Start);
                await EchoAsync(connection);
            },
            leavesLoops: true);
        var clients = new List<Socket>();
        try
        {
            for (var i = 0; i < blocked; i++)
            {
                clients.Add(await server.ConnectAsync());
                await clients[i].SendAsync("b"u8.ToArray().AsMemory());
            }
            Assert.True(await Task.Run(() => all.Wait(Patience)));
            using var other = await server.ConnectAsync();
            await other.SendAsync("x"u8.ToArray().AsMemory());
            Assert.Equal("x"u8.ToArray(), await ReadAsync(other, 1));
            release.Set();
            foreach (var client in clients) Assert.Equal("b"u8.ToArray(), await ReadAsync(client, 1));
        }
        finally
        {
            release.Set();
            foreach (var client in clients) client.Dispose();
        }
    }

    [Fact]
    public async Task The_end_of_what_a_client_sends_is_seen_after_all_of_it()
    {
        await using var server = await Server.StartAsync(async connection =>
        {
            long count = 0;
            while (true)
            {
                var read = await connection.Transport.Input.ReadAsync();
                count += read.Buffer.Length;
                connection.Transport.Input.AdvanceTo(read.Buffer.End);
                if (read.IsCompleted) break;
            }
            await connection.Transport.Output.WriteAsync(BitConverter.GetBytes(count));
        });
        using var client = await server.ConnectAsync();
        await client.SendAsync(new byte[200_000]);
        client.Shutdown(SocketShutdown.Send);
        Assert.Equal(200_000, BitConverter.ToInt64(await ReadAsync(client, 8)));
        Assert.Equal(0, await client.ReceiveAsync(new byte[1].AsMemory()).AsTask().WaitAsync(Patience));
    }

    [Fact]
    public async Task Who_waits_hears_that_the_client_is_gone_and_the_token_says_so()
    {
        var ended = new TaskCompletionSource<Exception?>(TaskCreationOptions.RunContinuationsAsynchronously);
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await Server.StartAsync(async connection =>
        {
            connection.ConnectionClosed.Register(closed.SetResult);
            try
            {
                while (!(await connection.Transport.Input.ReadAsync()).IsCompleted) { }
                ended.SetResult(null);
            }
            catch (IOException error)
            {
                ended.SetResult(error);
            }
        });
        var client = await server.ConnectAsync();
        client.LingerState = new LingerOption(true, 0);
        client.Dispose();
        await closed.Task.WaitAsync(Patience);
        Assert.True(await ended.Task.WaitAsync(Patience) is null or ConnectionResetException);
    }

    [Fact]
    public async Task Reads_can_be_cancelled_and_what_is_not_consumed_comes_again()
    {
        var steps = new List<string>();
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = await Server.StartAsync(async connection =>
        {
            var input = connection.Transport.Input;
            var waiting = input.ReadAsync();
            input.CancelPendingRead();
            var read = await waiting;
            steps.Add($"cancelled {read.IsCanceled}");
            input.AdvanceTo(read.Buffer.Start);
            using (var source = new CancellationTokenSource())
            {
                var given = input.ReadAsync(source.Token).AsTask();
                await connection.Transport.Output.WriteAsync("x"u8.ToArray());
                await source.CancelAsync();
                try
                {
                    await given;
                }
                catch (OperationCanceledException)
                {
                    steps.Add("given up");
                }
            }
            await connection.Transport.Output.WriteAsync("y"u8.ToArray());
            read = await input.ReadAsync();
            steps.Add($"{read.Buffer.Length}");
            input.AdvanceTo(read.Buffer.GetPosition(1));
            read = await input.ReadAsync();
            steps.Add($"{read.Buffer.Length} {(char)read.Buffer.FirstSpan[0]}");
            input.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            Assert.False(input.TryRead(out _));
            await connection.Transport.Output.WriteAsync("z"u8.ToArray());
            read = await input.ReadAtLeastAsync(3);
            steps.Add($"{read.Buffer.Length}");
            input.AdvanceTo(read.Buffer.End);
            done.SetResult();
        });
        using var client = await server.ConnectAsync();
        await ReadAsync(client, 2);
        await client.SendAsync("abc"u8.ToArray());
        await ReadAsync(client, 1);
        await client.SendAsync("d"u8.ToArray());
        await done.Task.WaitAsync(Patience);
        Assert.Equal(["cancelled True", "given up", "3", "2 b", "3"], steps);
    }

    [Fact]
    public async Task What_is_put_off_runs_on_the_loop_from_any_thread()
    {
        await using var server = await Server.StartAsync(async connection =>
        {
            var feature = connection.Features.Get<ILoopFeature>()!;
            var (loop, later) = (feature.Loop, feature.Later);
            var read = await connection.Transport.Input.ReadAsync();
            connection.Transport.Input.AdvanceTo(read.Buffer.End);
            var count = 0;
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await Parallel.ForAsync(0, 1000, (i, _) =>
            {
                // One thread runs them all, so nothing is counted twice or lost.
                (i % 2 == 0 ? loop : later).Schedule(_ => { if (++count == 1000) done.SetResult(); }, null);
                return default;
            });
            await done.Task.WaitAsync(Patience);
            await connection.Transport.Output.WriteAsync("ok"u8.ToArray());
        });
        using var client = await server.ConnectAsync();
        await client.SendAsync("x"u8.ToArray());
        Assert.Equal("ok"u8.ToArray(), await ReadAsync(client, 2));
    }

    private static async Task EchoAsync(ConnectionContext connection)
    {
        var (input, output) = (connection.Transport.Input, connection.Transport.Output);
        while (true)
        {
            var read = await input.ReadAsync();
            foreach (var segment in read.Buffer) output.Write(segment.Span);
            input.AdvanceTo(read.Buffer.End);
            if ((await output.FlushAsync()).IsCompleted || read.IsCompleted) return;
        }
    }

    private static async Task<byte[]> ReadAsync(Socket client, int count)
    {
        var bytes = new byte[count];
        for (var at = 0; at < count;)
        {
            var read = await client.ReceiveAsync(bytes.AsMemory(at)).AsTask().WaitAsync(Patience);
            Assert.NotEqual(0, read);
            at += read;
        }
        return bytes;
    }

    /// <summary>A listener whose connections loops serve.</summary>
    private sealed class Server(Func<ConnectionContext, Task> serve) : IFrontEnd, IAsyncDisposable
    {
        private FrontEndServer _server = null!;

        public string Name => "test";

        public bool UsesLoops => true;

        public bool LeavesLoops { get; private init; }

        public static async Task<Server> StartAsync(Func<ConnectionContext, Task> serve, bool leavesLoops = false)
        {
            Assert.SkipUnless(LoopTransport.IsSupported, "There are no loops on this system.");
            var server = new Server(serve) { LeavesLoops = leavesLoops };
            server._server = await FrontEndServer.StartAsync([new FrontEndBinding(server, IPAddress.Loopback, 0)], NullLoggerFactory.Instance);
            return server;
        }

        public void ConfigureListener(ListenOptions listener) => listener.Run(connection =>
        {
            Assert.NotNull(connection.Features.Get<ILoopFeature>());
            return serve(connection);
        });

        public void OnBound(IPEndPoint endpoint)
        {
        }

        public async Task<Socket> ConnectAsync()
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            await socket.ConnectAsync(_server.Endpoints[0].EndPoint);
            return socket;
        }

        public ValueTask DisposeAsync() => _server.DisposeAsync();
    }
}
