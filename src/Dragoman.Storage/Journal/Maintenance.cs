using System.Diagnostics.CodeAnalysis;
using System.Runtime.ExceptionServices;
using Dragoman.Storage.Platform;

namespace Dragoman.Storage.Journal;

/// <summary>What has to be looked at from time to time: retention, forgotten producers, and space after a full disk.</summary>
internal sealed class Maintenance(Store store, FileJournal journal) : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public void Start(IScheduler scheduler) => _running = scheduler.Run("maintenance", RunAsync);

    public async Task StopAsync()
    {
#pragma warning disable CA1849, VSTHRD103 // CancelAsync leaves the scheduler that the simulator drives.
        _stop.Cancel();
#pragma warning restore CA1849, VSTHRD103
        await _running;
    }

    public void Dispose() => _stop.Dispose();

    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong here stops the store; nothing is swallowed.")]
    private async Task RunAsync()
    {
        var looked = store.Time.GetTimestamp();
        while (!_stop.IsCancellationRequested && !store.Failed.IsCompleted)
        {
            try
            {
                await Task.Delay(store.Options.MaintenanceInterval, store.Time, _stop.Token);
                if (journal.Space.IsFull) journal.RetrySpace();
                store.WakeCheckpointer();
                var alsoByAge = store.Time.GetElapsedTime(looked) >= store.Options.AgeRetentionInterval;
                if (alsoByAge) looked = store.Time.GetTimestamp();
                await ApplyRetentionAsync(alsoByAge);
                ForgetProducers();
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (StorageFullException)
            {
                // Retention needs a little space to free much; the next round tries again.
                store.Reclaim();
            }
            catch (StoreFailedException)
            {
                return;
            }
            catch (Exception error)
            {
                store.Fail(error);
                return;
            }
        }
    }

    /// <summary>Gives up what retention no longer keeps, and lets go of segments that hold nothing else.</summary>
    /// <param name="alsoByAge">Whether to look at the records' age, and not only at the logs' size.</param>
    public async Task ApplyRetentionAsync(bool alsoByAge)
    {
        var now = store.Time.GetUtcNow().ToUnixTimeMilliseconds();
        var advancing = new List<Task>();
        foreach (var log in store.Logs)
        {
            if (log.RetainedFrom(alsoByAge ? now : null) is var from && from > log.StartOffset)
                advancing.Add(store.TruncateAsync(log, from, CommitMode.Written).AsTask());
        }
        Exception? failure = null;
        foreach (var advance in advancing)
        {
            try
            {
                await advance;
            }
            catch (IOException error)
            {
                failure = error;
            }
        }
        // On a full disk nothing else may set off the checkpoint that gives back what deleted logs took.
        var reclaim = store.TakeDeletedSegments();
        foreach (var log in store.Logs) reclaim |= log.HasDeadSegment;
        if (reclaim) store.Reclaim();
        if (failure is not null) ExceptionDispatchInfo.Throw(failure);
    }

    private void ForgetProducers()
    {
        var now = store.Time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var log in store.Logs)
        {
            lock (log.Lock) log.ProducersOrNull?.ForgetIdle(now, (long)store.Options.ProducerExpiration.TotalMilliseconds);
        }
    }
}
