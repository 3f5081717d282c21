using System.Globalization;
using System.Text;
using Dragoman.Storage.Platform;

namespace Dragoman.Simulation;

/// <summary>How a <see cref="SimScheduler"/> treats time.</summary>
public sealed record SimOptions
{
    /// <summary>What one step takes at most; every step takes at least a tick (100 ns).</summary>
    public TimeSpan MaxStep { get; init; } = TimeSpan.FromMicroseconds(5);

    /// <summary>How often the next timer fires although work is ready, as if the machine had stalled until then.</summary>
    public double StallChance { get; init; } = 1.0 / 64;

    /// <summary>The longest such stall.</summary>
    public TimeSpan MaxStall { get; init; } = TimeSpan.FromMilliseconds(10);
}

/// <summary>
/// Runs everything on one thread, one continuation at a time, in an order that the seed decides, in virtual time.
/// The same seed and the same program give the same run, step for step: <see cref="TraceHash"/> says so.
/// </summary>
/// <remarks>
/// Code under it must not leave it: no <c>Task.Run</c>, no <c>ConfigureAwait(false)</c>, no blocking wait. A continuation
/// that comes back from another thread fails the run. What leaves it unseen: <c>Task.WhenAll</c>, <c>Task.WhenAny</c> and
/// <c>Task.WaitAsync</c> over a <see cref="TaskCompletionSource"/> with
/// <see cref="TaskCreationOptions.RunContinuationsAsynchronously"/> (awaiting that directly is fine),
/// <c>SemaphoreSlim.WaitAsync</c> with a timeout or a token, <c>ChannelReader.ReadAllAsync</c> (<c>WaitToReadAsync</c> and
/// <c>TryRead</c> are fine), and <c>CancellationTokenSource.CancelAsync</c>.
/// </remarks>
public sealed class SimScheduler : IScheduler
{
    private const int KeptNotes = 40;

    private readonly SimOptions _options;
    private readonly SimRandom _choices;
    private readonly List<Work> _ready = [];
    private readonly Queue<string> _notes = new();

    private int _generations;
    private long _order;
    private int? _thread;
    private volatile string? _foreign;

    public SimScheduler(ulong seed, SimOptions? options = null)
    {
        Seed = seed;
        _options = options ?? new SimOptions();
        Random = new SimRandom(seed);
        _choices = Random.Fork();
        Time = new SimTimeProvider(this);
        Root = new SimProcess(this, "test", 0);
        Current = Root;
    }

    private readonly record struct Work(long Order, SimProcess Owner, SendOrPostCallback Callback, object? State);

    public ulong Seed { get; }

    /// <summary>For the test's own draws. The scheduler's choices come from a fork of it, so these do not disturb them.</summary>
    public SimRandom Random { get; }

    public SimTimeProvider Time { get; }

    /// <summary>The process whose continuation is running; <see cref="Root"/> outside of any.</summary>
    public SimProcess Current { get; private set; }

    /// <summary>The test itself, which is never killed.</summary>
    public SimProcess Root { get; }

    /// <summary>Steps taken so far.</summary>
    public long Steps { get; private set; }

    /// <summary>A hash over every choice, the time of every step and every note.</summary>
    public ulong TraceHash { get; private set; } = 0xCBF29CE484222325;

    /// <summary>A new life of a process.</summary>
    public SimProcess StartProcess(string name) => new(this, name, ++_generations);

    /// <summary>Starts a loop in the process that is running.</summary>
    public Task Run(string name, Func<Task> loop) => Current.Run(name, loop);

    /// <summary>Posts to the process that is running.</summary>
    public void Post(IThreadPoolWorkItem work) => Current.Post(work);

    /// <summary>Runs a body as part of the test to its end, and throws what it throws.</summary>
    public void Execute(Func<Task> body, int maxSteps = 1_000_000) => RunUntil(Root.Run("body", body), maxSteps);

    /// <inheritdoc cref="Execute(Func{Task}, int)"/>
    public T Execute<T>(Func<Task<T>> body, int maxSteps = 1_000_000)
    {
        var task = Root.RunAs("body", body);
        RunUntil(task, maxSteps);
        return task.GetAwaiter().GetResult();
    }

    /// <summary>Steps until the condition holds; it is asked before each step.</summary>
    /// <exception cref="SimDeadlockException">Nothing is ready and no timer is armed.</exception>
    /// <exception cref="SimStepLimitException">It did not hold within <paramref name="maxSteps"/>.</exception>
    /// <exception cref="SimulationFailedException">A continuation threw with nobody to catch it, or left the scheduler.</exception>
    public void RunUntil(Func<bool> condition, int maxSteps = 1_000_000)
    {
        ArgumentNullException.ThrowIfNull(condition);
        if (_thread is not null)
        {
            throw new InvalidOperationException("RunUntil was called from inside a step.");
        }

        var outer = SynchronizationContext.Current;
        _thread = Environment.CurrentManagedThreadId;
        try
        {
            for (int step = 0; !condition(); step++)
            {
                if (step == maxSteps)
                {
                    throw new SimStepLimitException(Describe($"Not done after {maxSteps} steps"));
                }

                if (!Step())
                {
                    DemandNoForeignWork(TimeSpan.FromMilliseconds(200));
                    throw new SimDeadlockException(Describe("Deadlock: nothing is ready and no timer is armed"));
                }
            }
        }
        finally
        {
            _thread = null;
            Current = Root;
            SynchronizationContext.SetSynchronizationContext(outer);
        }
    }

    /// <summary>Steps until the task has ended, and throws what it threw.</summary>
    /// <inheritdoc cref="RunUntil(Func{bool}, int)"/>
    public void RunUntil(Task task, int maxSteps = 1_000_000)
    {
        ArgumentNullException.ThrowIfNull(task);
        RunUntil(() => task.IsCompleted, maxSteps);
        task.GetAwaiter().GetResult();
    }

    /// <summary>
    /// Steps until the task has ended or the process is dead. True, or what the task threw, if the process lives.
    /// </summary>
    /// <inheritdoc cref="RunUntil(Func{bool}, int)"/>
    public bool RunUntilDoneOrDead(Task task, SimProcess process, int maxSteps = 1_000_000)
    {
        ArgumentNullException.ThrowIfNull(task);
        ArgumentNullException.ThrowIfNull(process);
        RunUntil(() => task.IsCompleted || process.IsDead, maxSteps);
        if (process.IsDead)
        {
            return false;
        }

        task.GetAwaiter().GetResult();
        return true;
    }

    /// <summary>Steps until so much virtual time has passed.</summary>
    public void RunFor(TimeSpan time, int maxSteps = 10_000_000) => RunUntil(Root.Run("wait", () => DelayAsync(time)), maxSteps);

    /// <summary>Steps until nothing is ready and no timer is due for so long.</summary>
    public void RunUntilIdle(TimeSpan horizon) => RunUntil(() => _ready.Count == 0 && !(Time.Next is { } next && next.Due <= Time.Elapsed + horizon));

    /// <summary>Takes at most so many steps; fewer when nothing is left to do.</summary>
    public void RunSteps(int steps)
    {
        long last = Steps + steps;
        RunUntil(() => Steps == last || (_ready.Count == 0 && Time.Next is null));
    }

    /// <summary>Lets everything else that is ready go first, perhaps.</summary>
    public Task YieldAsync()
    {
        var turn = new TaskCompletionSource();
        Current.Post(static state => ((TaskCompletionSource)state!).SetResult(), turn);
        return turn.Task;
    }

    /// <summary>Completes when so much virtual time has passed.</summary>
    /// <remarks>Unlike <see cref="Task.Delay(TimeSpan, TimeProvider)"/>, which cuts to whole milliseconds, to the tick.</remarks>
    public Task DelayAsync(TimeSpan time)
    {
        var end = new TaskCompletionSource();
        Time.CreateTimer(static state => ((TaskCompletionSource)state!).SetResult(), end, time, Timeout.InfiniteTimeSpan);
        return end.Task;
    }

    /// <summary>Adds a line to the trace: to its hash, and to the last lines that a failure prints.</summary>
    public void Note(string note)
    {
        ArgumentNullException.ThrowIfNull(note);
        DemandThread();
        foreach (char c in note)
        {
            Mix(c);
        }

        if (_notes.Count == KeptNotes)
        {
            _notes.Dequeue();
        }

        _notes.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{Steps,8} {Time.Elapsed.TotalMilliseconds,12:F4} ms  {note}"));
    }

    /// <summary>A failure text with the seed, the place and the last notes.</summary>
    public string Describe(string what)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{what}. Seed 0x{Seed:X16}, step {Steps}, {Time.Elapsed.TotalMilliseconds} ms.");
        foreach (string note in _notes)
        {
            text.AppendLine().Append("    ").Append(note);
        }

        return text.ToString();
    }

    internal void Enqueue(SimProcess owner, SendOrPostCallback callback, object? state)
    {
        if (_thread is int thread && thread != Environment.CurrentManagedThreadId)
        {
            // The ready list belongs to the other thread, so all that can be done here is to say so.
            _foreign = Environment.StackTrace;
            return;
        }

        if (!owner.IsDead)
        {
            _ready.Add(new Work(++_order, owner, callback, state));
        }
    }

    internal void DemandThread()
    {
        if (_thread is int thread && thread != Environment.CurrentManagedThreadId)
        {
            throw new SimulationFailedException($"Code has left the scheduler for another thread. Seed 0x{Seed:X16}.");
        }
    }

    internal void Abandon(SimProcess process)
    {
        Note($"{process} killed");
        _ready.RemoveAll(work => work.Owner == process);
        Time.Abandon(process);
    }

    private bool Step()
    {
        DemandNoForeignWork(TimeSpan.Zero);
        if (PickTimer() is { } timer)
        {
            Enter(timer.Owner, timer.Order);
            Guarded(timer.Owner, static state => ((SimTimer)state!).Fire(), timer);
            return true;
        }

        if (_ready.Count == 0)
        {
            return false;
        }

        int index = _choices.Next(_ready.Count);
        var work = _ready[index];
        _ready[index] = _ready[^1];
        _ready.RemoveAt(_ready.Count - 1);
        Enter(work.Owner, work.Order);
        Guarded(work.Owner, work.Callback, work.State);
        return true;
    }

    // What looks like a deadlock may be work that left for the thread pool and is on its way back.
    private void DemandNoForeignWork(TimeSpan grace)
    {
        for (long start = Environment.TickCount64; _foreign is null && Environment.TickCount64 - start < grace.TotalMilliseconds;)
        {
            Thread.Sleep(5);
        }

        if (_foreign is { } stack)
        {
            throw new SimulationFailedException(Describe($"A continuation came from outside the scheduler, at {stack}"));
        }
    }

    // A timer that is due competes with the work that is ready as one more piece of it.
    private SimTimer? PickTimer()
    {
        if (Time.Next is not { } next)
        {
            return null;
        }

        bool take = _ready.Count == 0
            || (next.Due <= Time.Elapsed
                ? _choices.Next(_ready.Count + 1) == 0
                : next.Due - Time.Elapsed <= _options.MaxStall && _choices.Chance(_options.StallChance));
        return take ? Time.TakeNext() : null;
    }

    private void Enter(SimProcess owner, long order)
    {
        Steps++;
        Time.Pass(TimeSpan.FromTicks(1 + _choices.Next(Math.Max(_options.MaxStep.Ticks, 1))));
        Mix((ulong)order);
        Mix((ulong)owner.Generation);
        Mix((ulong)Time.Elapsed.Ticks);
        Current = owner;
        SynchronizationContext.SetSynchronizationContext(owner);
    }

    private void Guarded(SimProcess owner, SendOrPostCallback callback, object? state)
    {
        try
        {
            callback(state);
        }
        catch (SimulatedCrashException) when (owner.IsDead)
        {
            // This is how the step of a process that was killed inside it ends.
        }
        catch (Exception fault)
        {
            throw new SimulationFailedException(Describe($"Nobody caught what {owner} threw: {fault.Message}"), fault);
        }
        finally
        {
            Current = Root;
            SynchronizationContext.SetSynchronizationContext(Root);
        }
    }

    private void Mix(ulong value) => TraceHash = System.Numerics.BitOperations.RotateLeft((TraceHash ^ value) * 0x9FB21C651E98DF25, 29);
}
