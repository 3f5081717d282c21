using Dragoman.Storage.Platform;

namespace Dragoman.Simulation;

/// <summary>
/// One life of a simulated process. Whatever it starts and whatever that awaits belongs to it; once it is killed
/// none of that runs again. A restart is a new <see cref="SimProcess"/>.
/// </summary>
public sealed class SimProcess : SynchronizationContext, IScheduler
{
    internal SimProcess(SimScheduler scheduler, string name, int generation)
    {
        Scheduler = scheduler;
        Name = name;
        Generation = generation;
    }

    public SimScheduler Scheduler { get; }

    public string Name { get; }

    /// <summary>Unique within its scheduler and rising; 0 is the test itself.</summary>
    public int Generation { get; }

    public bool IsDead { get; private set; }

    /// <inheritdoc/>
    public Task Run(string name, Func<Task> loop) => RunAs(name, async () =>
    {
        await loop();
        return true;
    });

    /// <inheritdoc/>
    public void Post(IThreadPoolWorkItem work) => Post(static state => ((IThreadPoolWorkItem)state!).Execute(), work);

    /// <summary>As <see cref="Run"/>, with a result.</summary>
    public Task<T> RunAs<T>(string name, Func<Task<T>> body)
    {
        ArgumentNullException.ThrowIfNull(body);
        // Not RunContinuationsAsynchronously: Task.WhenAll over it would go by way of the thread pool.
        var result = new TaskCompletionSource<T>();
        Scheduler.Note($"{this} run {name}");
        Post(static state => ((Action)state!)(), (Action)Start);
        return result.Task;

        async void Start()
        {
            T value;
            try
            {
                value = await body();
            }
            catch (OperationCanceledException canceled)
            {
                result.SetCanceled(canceled.CancellationToken);
                return;
            }
#pragma warning disable CA1031 // The fault belongs to whoever awaits the task.
            catch (Exception fault)
#pragma warning restore CA1031
            {
                result.SetException(fault);
                return;
            }

            result.SetResult(value);
        }
    }

    /// <summary>
    /// Ends the process between two instructions: abandons its continuations, timers and everything posted to it from
    /// now on. The step that is running returns to the scheduler first; the disk refuses it meanwhile.
    /// </summary>
    public void Kill()
    {
        if (Generation == 0)
        {
            throw new InvalidOperationException("The test itself cannot be killed.");
        }

        if (!IsDead)
        {
            IsDead = true;
            Scheduler.Abandon(this);
        }
    }

    public override void Post(SendOrPostCallback d, object? state) => Scheduler.Enqueue(this, d, state);

    public override void Send(SendOrPostCallback d, object? state) =>
        throw new NotSupportedException("Blocking on a continuation would hang the one thread there is.");

    public override SynchronizationContext CreateCopy() => this;

    public override string ToString() => $"{Name}#{Generation}";
}
