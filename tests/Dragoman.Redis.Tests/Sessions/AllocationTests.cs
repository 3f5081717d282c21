using System.IO.Pipelines;
using System.Text;
using Dragoman.Broker.Channels;
using Dragoman.Redis.Sessions;
using Dragoman.Redis.Wire;

namespace Dragoman.Redis.Tests.Sessions;

/// <summary>What is delivered costs no garbage.</summary>
public sealed class AllocationTests
{
    private const int Subscribers = 100;

    [Theory]
    [InlineData(1)]
    [InlineData(16)]
    public void Nothing_is_allocated_for_a_message_that_is_delivered(int inARow)
    {
        using var run = new ChannelRun();
        var space = new ChannelSpace();
        var limits = new OutputLimits(64 << 20);
        var scheduler = new Later();
        var listeners = Enumerable.Range(0, Subscribers).Select(i => new Listener(new SessionOutput(new Sink(), scheduler, scheduler, limits) { Protocol = 2 + i % 2 })).ToList();
        foreach (var listener in listeners) space.Subscribe("c"u8, listener);
        var payload = Encoding.ASCII.GetBytes(new string('x', 100));
        var heard = 0;
        Assert.Equal(0, AllocatedBy(1000, () =>
        {
            for (var i = 0; i < inARow; i++) heard = space.Publish("c"u8, payload, inARow > 1 ? run : null);
            run.End();
            scheduler.Run();
        }));
        Assert.Equal(Subscribers, heard);
        Assert.Equal(0, limits.Waiting);
    }

    [Fact]
    public void Nothing_is_allocated_for_a_request_that_is_read()
    {
        using var parser = new RequestParser { IsTrusted = true };
        var bytes = "*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$5\r\nhello\r\n"u8.ToArray();
        Assert.Equal(0, AllocatedBy(1000, () =>
        {
            ReadOnlyMemory<byte> rest = bytes;
            Assert.True(parser.TryRead(ref rest));
            parser.Release();
        }));
    }

    private static long AllocatedBy(int times, Action action)
    {
        // Pools fill, and methods are compiled.
        for (var i = 0; i < 200; i++) action();
        var least = long.MaxValue;
        // Tests that run beside this one take from the same pools.
        for (var attempt = 0; attempt < 20 && least > 0; attempt++)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            for (var i = 0; i < times; i++) action();
            least = Math.Min(least, (GC.GetAllocatedBytesForCurrentThread() - before) / times);
        }
        return least;
    }

    private sealed class Listener(SessionOutput output) : IChannelListener
    {
        public void OnMessages(ChannelSubscription subscription, in ChannelMessages messages) => output.Push(subscription, SubscriptionKind.Channel, messages);
    }

    /// <summary>Runs what is put off when it is told to.</summary>
    private sealed class Later : PipeScheduler
    {
        private readonly Queue<(Action<object?> Action, object? State)> _queued = new();

        public override void Schedule(Action<object?> action, object? state) => _queued.Enqueue((action, state));

        public void Run()
        {
            while (_queued.TryDequeue(out var next)) next.Action(next.State);
        }
    }

    /// <summary>Takes everything.</summary>
    private sealed class Sink : PipeWriter
    {
        private readonly byte[] _buffer = new byte[64 << 10];

        public override void Advance(int bytes)
        {
        }

        public override Memory<byte> GetMemory(int sizeHint = 0) => _buffer;

        public override Span<byte> GetSpan(int sizeHint = 0) => _buffer;

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => ValueTask.FromResult(default(FlushResult));

        public override void CancelPendingFlush()
        {
        }

        public override void Complete(Exception? exception = null)
        {
        }
    }
}
