using System.Buffers.Binary;
using System.IO.Pipelines;
using Dragoman.Protocols.Framing;
using Microsoft.Extensions.Time.Testing;

namespace Dragoman.Protocols.Tests.Framing;

/// <summary>What one connection holds of a message must not cost the others their turn.</summary>
public sealed class ByteBudgetTests
{
    private const int Limit = 4 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly FakeTimeProvider _time = new();
    private readonly ByteBudget _budget = new(Limit);

    [Fact]
    public async Task Large_messages_leave_a_quarter_for_the_others()
    {
        Assert.True(await TakeAsync(Limit * 3 / 4, isLarge: true));
        var large = TakeAsync(1, isLarge: true);
        Assert.False(large.IsCompleted);
        Assert.True(await TakeAsync(Limit / 4, isLarge: false));
        var small = TakeAsync(1, isLarge: false);
        Assert.False(small.IsCompleted);
        _budget.Return(Limit * 3 / 4);
        Assert.True(await small);
        Assert.True(await large);
    }

    [Fact]
    public async Task Whoever_waits_too_long_gives_up_and_takes_nothing()
    {
        Assert.True(await TakeAsync(Limit, isLarge: false));
        var waiting = TakeAsync(1, isLarge: false);
        for (var second = 0; second < 31 && !waiting.IsCompleted; second++) await PassAsync(TimeSpan.FromSeconds(1));
        Assert.False(await waiting);
        Assert.Equal(Limit, _budget.Used);
    }

    [Fact]
    public async Task A_message_that_stopped_half_way_is_given_up_for_one_that_waits()
    {
        var stopped = new Sender(this);
        await stopped.BeginAsync(length: Limit - 100, now: Limit - 200);
        var waiting = TakeAsync(200_000, isLarge: false);
        for (var second = 0; second < 25 && !waiting.IsCompleted; second++) await PassAsync(TimeSpan.FromSeconds(1));
        Assert.True(await waiting);
        var reason = await Assert.ThrowsAsync<ConnectionFailedException>(() => stopped.Reading);
        Assert.Contains("while others waited for memory", reason.Message, StringComparison.Ordinal);
        Assert.Equal(200_000, _budget.Used);
    }

    [Fact]
    public async Task A_message_that_arrives_fast_enough_is_not_given_up()
    {
        // Small ones, which together hold all there is; one of them goes on arriving.
        var stopped = new Sender(this);
        await stopped.BeginAsync(length: 1 << 20, now: (1 << 20) - 10);
        var arriving = new Sender(this);
        await arriving.BeginAsync(length: 1 << 20, now: 20_000);
        var rest = (int)(Limit - _budget.Used);
        Assert.True(await TakeAsync(rest, isLarge: false));

        var waiting = TakeAsync(1000, isLarge: false);
        await PassAsync(TimeSpan.FromSeconds(0.5));
        await arriving.SendAsync(40_000);
        for (var half = 0; half < 50 && !waiting.IsCompleted; half++) await PassAsync(TimeSpan.FromSeconds(0.5));
        Assert.True(await waiting);
        await Assert.ThrowsAsync<ConnectionFailedException>(() => stopped.Reading);
        Assert.False(arriving.Reading.IsCompleted);
    }

    [Fact]
    public async Task With_nobody_waiting_a_message_may_take_its_time()
    {
        var slow = new Sender(this);
        await slow.BeginAsync(length: 100_000, now: 20_000);
        for (var minute = 0; minute < 10; minute++) await PassAsync(TimeSpan.FromMinutes(1));
        await slow.SendAsync(80_000);
        using var frame = await slow.Reading;
        Assert.Equal(100_000, frame!.Length);
    }

    private Task<bool> TakeAsync(int bytes, bool isLarge) => _budget.TakeAsync(bytes, isLarge, Patience, _time, default).AsTask();

    /// <summary>Lets time pass, and what that sets off run.</summary>
    private async Task PassAsync(TimeSpan time)
    {
        _time.Advance(time);
        for (var i = 0; i < 30; i++) await Task.Delay(1);
    }

    private sealed class Sender
    {
        private readonly ByteBudgetTests _test;
        private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 0));

        public Sender(ByteBudgetTests test)
        {
            _test = test;
            Reading = new FrameReader(_pipe.Reader, new AnyFrame(), test._budget, test._time).ReadAsync(default).AsTask();
        }

        public Task<Frame?> Reading { get; }

        /// <summary>Announces a message and sends a first part of it.</summary>
        public async Task BeginAsync(int length, int now)
        {
            var prefix = new byte[4];
            BinaryPrimitives.WriteInt32BigEndian(prefix, length);
            await _pipe.Writer.WriteAsync(prefix);
            var before = _test._budget.Used;
            await SendAsync(now);
            for (var i = 0; i < 5000 && _test._budget.Used == before; i++) await Task.Delay(1);
            Assert.NotEqual(before, _test._budget.Used);
        }

        public async Task SendAsync(int bytes) => await _pipe.Writer.WriteAsync(new byte[bytes]);
    }

    private sealed class AnyFrame : IFrameRules
    {
        public int PrefixLength => 0;

        public void Check(int length, ReadOnlySpan<byte> head)
        {
        }
    }
}
