using System.Globalization;
using System.Threading.Channels;

namespace Dragoman.Simulation.Tests;

public sealed class SchedulerTests
{
    [Fact]
    public void The_same_seed_gives_the_same_run_and_another_seed_another()
    {
        foreach (ulong seed in Seeds.Fixed(20))
        {
            Assert.Equal(Workload(seed), Workload(seed));
        }

        Assert.Equal(20, Seeds.Fixed(20).Select(seed => Workload(seed).Hash).Distinct().Count());
    }

    [Fact]
    public void Ready_work_runs_in_every_order()
    {
        var orders = new HashSet<string>();
        foreach (ulong seed in Seeds.Fixed(200))
        {
            var scheduler = new SimScheduler(seed);
            string order = "";
            var tasks = "abc".Select(name => scheduler.Run("one", () =>
            {
                order += name;
                return Task.CompletedTask;
            })).ToList();
            scheduler.RunUntil(Task.WhenAll(tasks));
            orders.Add(order);
        }

        Assert.Equal(6, orders.Count);
    }

    [Fact]
    public void Virtual_time_jumps_to_the_next_timer_and_never_goes_back()
    {
        foreach (ulong seed in Seeds.Fixed(50))
        {
            var scheduler = new SimScheduler(seed);
            var fired = new List<int>();
            var start = scheduler.Time.GetUtcNow();
            var tasks = new[] { 3, 1, 2 }.Select(hours => scheduler.Run("sleep", async () =>
            {
                await Task.Delay(TimeSpan.FromHours(hours), scheduler.Time);
                fired.Add(hours);
            })).ToList();

            scheduler.RunUntil(Task.WhenAll(tasks));

            Assert.Equal([1, 2, 3], fired);
            Assert.InRange((scheduler.Time.GetUtcNow() - start).TotalHours, 3, 3.0001);
            Assert.InRange(scheduler.Steps, 3, 100);
        }
    }

    [Fact]
    public void A_timer_may_fire_while_work_is_ready_but_not_long_before_its_time()
    {
        int stalled = 0;
        foreach (ulong seed in Seeds.Fixed(100))
        {
            var scheduler = new SimScheduler(seed);
            bool soon = false, late = false;
            _ = scheduler.Run("soon", async () =>
            {
                await scheduler.DelayAsync(TimeSpan.FromMilliseconds(5));
                soon = true;
            });
            _ = scheduler.Run("late", async () =>
            {
                await scheduler.DelayAsync(TimeSpan.FromSeconds(1));
                late = true;
            });
            scheduler.Execute(async () =>
            {
                for (int i = 0; i < 100; i++)
                {
                    await scheduler.YieldAsync();
                }
            });

            stalled += soon ? 1 : 0;
            Assert.False(late);
        }

        Assert.InRange(stalled, 30, 99);
    }

    [Fact]
    public void Periodic_timers_and_timeouts_run_in_virtual_time()
    {
        var scheduler = new SimScheduler(1);
        int ticks = 0;
        scheduler.Execute(async () =>
        {
            using var timer = new PeriodicTimer(TimeSpan.FromSeconds(10), scheduler.Time);
            while (ticks < 5 && await timer.WaitForNextTickAsync())
            {
                ticks++;
            }

            using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(1), scheduler.Time);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(
                () => Task.Delay(TimeSpan.FromHours(1), scheduler.Time, timeout.Token));
        });
        Assert.InRange(scheduler.Time.Elapsed.TotalSeconds, 110, 110.1);
    }

    [Fact]
    public void A_deadlock_is_found_and_names_the_seed()
    {
        var scheduler = new SimScheduler(0xABCDEF);
        var never = new TaskCompletionSource();
        var failure = Assert.Throws<SimDeadlockException>(() => scheduler.Execute(() =>
        {
            scheduler.Note("waits for ever");
            return never.Task;
        }));
        Assert.Contains("0x0000000000ABCDEF", failure.Message, StringComparison.Ordinal);
        Assert.Contains("waits for ever", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_does_not_end_is_stopped()
    {
        var scheduler = new SimScheduler(1);
        Assert.Throws<SimStepLimitException>(() => scheduler.Execute(
            async () =>
            {
                while (true)
                {
                    await scheduler.YieldAsync();
                }
            },
            maxSteps: 500));
        Assert.Equal(500, scheduler.Steps);
    }

    [Fact]
    public void What_a_task_throws_comes_out_and_what_nobody_awaits_fails_the_run()
    {
        var scheduler = new SimScheduler(1);
        Assert.Throws<IOException>(() => scheduler.Execute(async () =>
        {
            await scheduler.YieldAsync();
            throw new IOException();
        }));

        scheduler.Root.Post(_ => throw new IOException("lost"), null);
        var failure = Assert.Throws<SimulationFailedException>(() => scheduler.RunSteps(10));
        Assert.IsType<IOException>(failure.InnerException);
    }

    [Fact]
    public void Code_that_leaves_the_scheduler_fails_the_run()
    {
        var scheduler = new SimScheduler(1);
        var failure = Assert.Throws<SimulationFailedException>(() => scheduler.Execute(async () =>
        {
            await Task.Run(() => Thread.Sleep(1));
        }));
        Assert.IsNotType<SimStepLimitException>(failure);
    }

    [Fact]
    public void The_disk_and_the_clock_refuse_another_thread()
    {
        var scheduler = new SimScheduler(1);
        var disk = new SimDisk(scheduler);
        var refused = new List<Exception?>();
        scheduler.Execute(() =>
        {
            var thread = new Thread(() =>
            {
                refused.Add(Record.Exception(() => disk.SyncDirectory("/")));
                refused.Add(Record.Exception(() => scheduler.Time.CreateTimer(_ => { }, null, TimeSpan.Zero, TimeSpan.Zero)));
            });
            thread.Start();
            thread.Join();
            return Task.CompletedTask;
        });
        Assert.Equal(2, refused.Count);
        Assert.All(refused, failure => Assert.IsType<SimulationFailedException>(failure));
    }

    [Fact]
    public void A_killed_process_never_runs_again_whatever_it_waited_for()
    {
        foreach (ulong seed in Seeds.Fixed(100))
        {
            var scheduler = new SimScheduler(seed);
            var process = scheduler.StartProcess("broker");
            var signal = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            int ran = 0, timers = 0;
            var yielding = process.Run("yield", async () =>
            {
                _ = scheduler.Time.CreateTimer(_ => timers++, null, TimeSpan.FromMilliseconds(1), TimeSpan.FromMilliseconds(1));
                while (true)
                {
                    ran++;
                    await scheduler.YieldAsync();
                }
            });
            _ = process.Run("sleep", async () =>
            {
                await scheduler.DelayAsync(TimeSpan.FromSeconds(1));
                ran++;
            });
            var waiting = process.Run("wait", async () =>
            {
                await signal.Task;
                ran++;
            });
            scheduler.RunSteps(scheduler.Random.Between(1, 50));

            process.Kill();
            (int before, int timersBefore) = (ran, timers);
            process.Post(_ => ran++, null);
            scheduler.Execute(() =>
            {
                signal.SetResult();
                return scheduler.DelayAsync(TimeSpan.FromMinutes(1));
            });

            Assert.True(process.IsDead);
            Assert.Equal((before, timersBefore), (ran, timers));
            Assert.False(yielding.IsCompleted || waiting.IsCompleted);
        }
    }

    [Fact]
    public void A_process_may_die_inside_its_own_step_and_another_go_on()
    {
        var scheduler = new SimScheduler(7);
        var first = scheduler.StartProcess("broker");
        var task = first.Run("die", async () =>
        {
            await scheduler.YieldAsync();
            first.Kill();
            await scheduler.YieldAsync();
            Assert.Fail("The dead do not run.");
        });
        Assert.False(scheduler.RunUntilDoneOrDead(task, first));

        var second = scheduler.StartProcess("broker");
        int answer = 0;
        Assert.True(scheduler.RunUntilDoneOrDead(
            second.Run("live", async () =>
            {
                await scheduler.YieldAsync();
                answer = 42;
            }),
            second));
        Assert.Equal(42, answer);
        Assert.NotEqual(first.Generation, second.Generation);
    }

    [Fact]
    public void A_failing_seed_is_named_with_the_way_to_run_it_again()
    {
        Assert.SkipWhen(Environment.GetEnvironmentVariable("DRAGOMAN_SEED") is { Length: > 0 }, "A single seed is asked for.");
        var failure = Assert.Throws<SimulationFailedException>(
            () => Seeds.Check(0, seed => Assert.NotEqual(0x22UL, seed), 0x11, 0x22, 0x33));
        Assert.Contains("DRAGOMAN_SEED=0x0000000000000022", failure.Message, StringComparison.Ordinal);
    }

    private static (ulong Hash, string Log) Workload(ulong seed)
    {
        var scheduler = new SimScheduler(seed);
        var channel = Channel.CreateBounded<int>(3);
        var log = new List<string>();
        var producers = Enumerable.Range(0, 3).Select(p => scheduler.Run("produce", async () =>
        {
            for (int i = 0; i < 10; i++)
            {
                await channel.Writer.WriteAsync((p * 100) + i);
                await scheduler.DelayAsync(TimeSpan.FromMicroseconds(scheduler.Random.Next(100)));
            }
        })).ToList();
        var consumer = scheduler.Run("consume", async () =>
        {
            while (await channel.Reader.WaitToReadAsync())
            {
                while (channel.Reader.TryRead(out int item))
                {
                    log.Add(item.ToString(CultureInfo.InvariantCulture));
                }
            }
        });
        scheduler.RunUntil(Task.WhenAll(producers));
        channel.Writer.Complete();
        scheduler.RunUntil(consumer);
        Assert.Equal(30, log.Count);
        return (scheduler.TraceHash, string.Join(' ', log));
    }
}
