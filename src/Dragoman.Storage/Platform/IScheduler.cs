namespace Dragoman.Storage.Platform;

/// <summary>
/// Starts background work. Production runs it on the thread pool; the simulator runs every continuation of it on
/// one seeded, single-threaded loop, which is why nothing here may use <c>Task.Run</c> or <c>ConfigureAwait(false)</c>.
/// </summary>
public interface IScheduler
{
    /// <summary>
    /// Starts a loop and returns its task. The task ends when the loop does; a fault in it is the loop's owner's to handle.
    /// </summary>
    Task Run(string name, Func<Task> loop);

    /// <summary>Runs a piece of work soon, once, without allocating. It must not block and must not throw.</summary>
    void Post(IThreadPoolWorkItem work);
}

/// <summary>Background work on the thread pool.</summary>
public sealed class ThreadPoolScheduler : IScheduler
{
    /// <summary>The one instance.</summary>
    public static ThreadPoolScheduler Instance { get; } = new();

    /// <inheritdoc/>
    public Task Run(string name, Func<Task> loop)
    {
        ArgumentNullException.ThrowIfNull(loop);
#pragma warning disable RS0030 // This is the seam itself.
        return Task.Run(loop);
#pragma warning restore RS0030
    }

    /// <inheritdoc/>
    public void Post(IThreadPoolWorkItem work) => ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: false);
}
