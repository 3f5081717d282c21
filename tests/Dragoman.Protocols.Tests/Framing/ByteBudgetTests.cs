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
    public async Task Each_kind_of_message_leaves_something_to_the_next()
    {
        Assert.True(await TakeAsync(Limit * 3 / 4, BudgetShare.LargePublish));
        var large = TakeAsync(1, BudgetShare.LargePublish);
        Assert.False(large.IsCompleted);
        Assert.True(await TakeAsync(Limit / 8, BudgetShare.Publish));
        var publish = TakeAsync(1, BudgetShare.Publish);
        Assert.False(publish.IsCompleted);
        Assert.True(await TakeAsync(Limit / 8, BudgetShare.Control));
        var control = TakeAsync(1, BudgetShare.Control);
        Assert.False(control.IsCompleted);
        _budget.Return(Limit * 3 / 4);
        Assert.True(await control);
        Assert.True(await publish);
        Assert.True(await large);
    }

    [Fact]
    public async Task Whoever_waits_too_long_gives_up_and_takes_nothing()
    {
        Assert.True(await TakeAsync(Limit, BudgetShare.Control));
        var waiting = TakeAsync(1, BudgetShare.Control);
        for (var second = 0; second < 31 && !waiting.IsCompleted; second++) await PassAsync(TimeSpan.FromSeconds(1));
        Assert.False(await waiting);
        Assert.Equal(Limit, _budget.Used);
    }

    [Fact]
    public async Task A_message_that_stopped_half_way_is_given_up_for_one_that_waits()
    {
        var stopped = new Sender(this);
        await stopped.BeginAsync(length: Limit * 3 / 4, now: Limit * 3 / 4 - 200);
        Assert.True(await TakeAsync((int)(Limit - _budget.Used - 100), BudgetShare.Control));
        var waiting = TakeAsync(200_000, BudgetShare.Control);
        for (var second = 0; second < 25 && !waiting.IsCompleted; second++) await PassAsync(TimeSpan.FromSeconds(1));
        Assert.True(await waiting);
        var reason = await Assert.ThrowsAsync<ConnectionFailedException>(() => stopped.Reading);
        Assert.Contains("while others waited for memory", reason.Message, StringComparison.Ordinal);
        Assert.InRange(_budget.Used, 200_000, Limit / 3);
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
        Assert.True(await TakeAsync(rest, BudgetShare.Control));

        var waiting = TakeAsync(1000, BudgetShare.Control);
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

    private Task<bool> TakeAsync(int bytes, BudgetShare share) => _budget.TakeAsync(bytes, share, Patience, _time, default).AsTask();

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

        public bool IsPublish(ReadOnlySpan<byte> head) => false;

        public void Check(int length, ReadOnlySpan<byte> head)
        {
        }
    }
}
