using Dragoman.Storage.Journal;

namespace Dragoman.Broker.Topics;

/// <summary>
/// Keeps appends that have to wait for room in the order in which they were asked for: whoever appends twice without
/// waiting in between finds the two in that order. Where there is room nobody waits, and nothing is allocated.
/// </summary>
internal sealed class AppendTurns
{
    private readonly Lock _lock = new();
    private Task _last = Task.CompletedTask;

    /// <summary>Begins a commit when those that were asked for before have been enqueued or given up.</summary>
    /// <param name="begin">Begins it; called at once, or when its turn has come, with no lock held.</param>
    /// <param name="state">What <paramref name="begin"/> gets.</param>
    /// <param name="turn">To be ended when the commit is enqueued or will not be; null if there is nothing to end.</param>
    public ValueTask<Commit> BeginAsync<TState>(Func<TState, ValueTask<Commit>> begin, TState state, out Turn? turn)
    {
        if (Volatile.Read(ref _last).IsCompleted)
        {
            turn = null;
            var beginning = begin(state);
            // What is admitted, or refused, at once is enqueued before the caller can ask again.
            if (beginning.IsCompleted) return beginning;
            turn = Queue();
            return beginning;
        }
        turn = Queue();
        return AfterAsync(turn.Before, begin, state);
    }

    private Turn Queue()
    {
        lock (_lock)
        {
            var turn = new Turn(_last);
            _last = turn.Ended;
            return turn;
        }
    }

    // Room is asked for after the wait: held during it, it could be the very room that the one before waits for.
    private static async ValueTask<Commit> AfterAsync<TState>(Task before, Func<TState, ValueTask<Commit>> begin, TState state)
    {
        await before;
        return await begin(state);
    }

    /// <summary>A place among those who wait.</summary>
    public sealed class Turn(Task before) : IDisposable
    {
        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Completes when those before are done.</summary>
        public Task Before { get; } = before;

        /// <summary>Completes when this one and those before are done.</summary>
        public Task Ended => _ended.Task;

        /// <summary>Lets the next one in.</summary>
        public void End()
        {
            if (Before.IsCompleted) _ended.SetResult();
            else _ = EndAfterAsync();
        }

        void IDisposable.Dispose() => End();

        private async Task EndAfterAsync()
        {
            await Before;
            _ended.SetResult();
        }
    }
}
