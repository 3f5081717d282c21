using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Queues.Moves;

/// <summary>The moves of this node: what is to be done is in <see cref="MoveRegistry"/>, and each is carried out by a <see cref="MoveTask"/>.</summary>
[SuppressMessage("Naming", "CA1724", Justification = "The folder and the field's term are the same word.")]
internal sealed class Moves : IMoves, IAsyncDisposable
{
    private readonly StateLog _state;
    private readonly MoveRegistry _registry;
    private readonly IScheduler _scheduler;
    private readonly ConcurrentDictionary<Guid, MoveTask> _running = new();
    private readonly CancellationTokenSource _stop = new();
    private bool _disposed;

    public Moves(Queues queues, Store store, StateLog state, IScheduler scheduler)
    {
        Queues = queues;
        Store = store;
        _state = state;
        _registry = (MoveRegistry)state.Machine;
        _scheduler = scheduler;
    }

    internal Queues Queues { get; }

    internal Store Store { get; }

    internal StateLog State => _state;

    internal CancellationToken Stopped => _stop.Token;

    /// <summary>Goes on with the moves that a stop interrupted.</summary>
    internal void Start()
    {
        List<Move> interrupted;
        lock (_state.Lock) interrupted = [.. _registry.Moves.Where(m => !m.HasEnded)];
        foreach (var move in interrupted) Run(move);
    }

    public async ValueTask<MoveAnswer> StartAsync(IQueueHandle source, MoveOptions options, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(options);
        var local = (LocalQueue)source;
        if (Check(local, options) is { } refused) return refused;
        var ready = (await source.GetCountsAsync()).Ready;
        var move = new Move
        {
            Id = Queues.MakeId(),
            Source = source.Name,
            SourceId = source.Id,
            Target = options.Target,
            MessagesPerSecond = options.MessagesPerSecond,
            Planned = options.MaxMessages < 0 ? ready : Math.Min(ready, options.MaxMessages),
            StartedAt = Store.Time.GetUtcNow(),
        };
        var answer = await ExecuteAsync(
            commit =>
            {
                if (_registry.Moves.FirstOrDefault(m => !m.HasEnded && m.SourceId == source.Id) is { } other)
                    return new MoveAnswer(QueueStatus.InUse, other, $"Messages of queue '{source.Name}' are being moved already.");
                _state.Emit(commit, MoveRegistry.Started(move));
                return new MoveAnswer(QueueStatus.Ok, move);
            },
            Store.TypicalCommandBytes + 3 * (source.Name.Name.Length + (options.Target?.Length ?? 0)), cancellation);
        if (answer.Status == QueueStatus.Ok) Run(move);
        return answer;
    }

    private MoveAnswer? Check(LocalQueue source, MoveOptions options)
    {
        if (source.IsDeleted) return new MoveAnswer(QueueStatus.NotFound, null, $"There is no queue '{source.Name}'.");
        if (source.Settings.Retention is not null) return Invalid($"Queue '{source.Name}' is a stream: it keeps its messages whoever reads them, and none can be moved.");
        if (double.IsNaN(options.MessagesPerSecond) || options.MessagesPerSecond < 0) return Invalid("A rate is a positive number of messages a second.");
        if (options.MaxMessages < -1) return Invalid("A number of messages is positive.");
        if (options.Target is not { } target) return null;
        if (target == source.Name.Name) return Invalid($"Queue '{source.Name}' is both where messages are moved from and where to.");
        return Queues.Find(new QueueName(source.Name.Namespace, target)) is null
            ? new MoveAnswer(QueueStatus.NotFound, null, $"There is no queue '{new QueueName(source.Name.Namespace, target)}'.")
            : null;
    }

    private static MoveAnswer Invalid(string why) => new(QueueStatus.InvalidSettings, null, why);

    public async ValueTask<MoveAnswer> CancelAsync(Guid id, CancellationToken cancellation)
    {
        var answer = await ExecuteAsync(
            commit =>
            {
                if (_registry.Find(id) is not { } move) return new MoveAnswer(QueueStatus.NotFound, null, $"There is no move {id}.");
                if (move.HasEnded) return new MoveAnswer(QueueStatus.InUse, move, $"Move {id} has ended already.");
                if (move.State == MoveState.Running) _state.Emit(commit, MoveRegistry.Cancelling(id));
                return new MoveAnswer(QueueStatus.Ok, _registry.Find(id));
            },
            Store.TypicalCommandBytes, cancellation);
        if (answer.Status == QueueStatus.Ok && _running.TryGetValue(id, out var task)) task.Cancel();
        return answer with { Move = answer.Move is null ? null : Current(answer.Move) };
    }

    public Move? Find(Guid id)
    {
        Move? move;
        lock (_state.Lock) move = _registry.Find(id);
        return move is null ? null : Current(move);
    }

    public IReadOnlyList<Move> List()
    {
        List<Move> all;
        lock (_state.Lock) all = [.. _registry.Moves];
        all.Reverse();
        return all.ConvertAll(Current);
    }

    /// <summary>A move with what only its task knows.</summary>
    private Move Current(Move move) =>
        !move.HasEnded && _running.TryGetValue(move.Id, out var task) ? move with { Left = task.Left, Reason = task.WaitsFor } : move;

    private void Run(Move move)
    {
        var task = new MoveTask(this, move);
        _running[move.Id] = task;
        task.Completion = _scheduler.Run("move", async () =>
        {
            try
            {
                await task.RunAsync();
            }
            finally
            {
                _running.TryRemove(move.Id, out _);
                task.Dispose();
            }
        });
    }

    /// <summary>Notes that a move has ended.</summary>
    internal async ValueTask EndAsync(Guid id, MoveState state, long left, string? reason) =>
        await ExecuteAsync(
            commit =>
            {
                if (_registry.Find(id) is not { HasEnded: false } move) return new MoveAnswer(QueueStatus.NotFound, null);
                // It was cancelled while its last message was on its way: then it is done all the same.
                _state.Emit(commit, MoveRegistry.Ended(id, state, left, Store.Time.GetUtcNow(), reason));
                return new MoveAnswer(QueueStatus.Ok, move);
            },
            Store.TypicalCommandBytes + 3 * (reason?.Length ?? 0), default, urgent: true);

    /// <summary>Counts messages that were moved in another commit.</summary>
    internal async ValueTask CountAsync(Guid id, int count) =>
        await ExecuteAsync(
            commit =>
            {
                _state.Emit(commit, MoveRegistry.Moved(id, count));
                return default;
            },
            Store.TypicalCommandBytes, default, urgent: true);

    /// <summary>Whether a move was cancelled.</summary>
    internal bool IsCancelled(Guid id)
    {
        lock (_state.Lock) return _registry.Find(id) is not { State: MoveState.Running };
    }

    private async ValueTask<MoveAnswer> ExecuteAsync(Func<Commit, MoveAnswer> decide, int maxBytes, CancellationToken cancellation, bool urgent = false)
    {
        try
        {
            return await _state.ExecuteAsync(CommitMode.Fsync, decide, maxBytes, urgent, cancellation);
        }
        catch (StorageFullException error)
        {
            return new MoveAnswer(QueueStatus.Full, null, error.Message);
        }
        catch (StoreFailedException error)
        {
            return new MoveAnswer(QueueStatus.StorageError, null, error.Message);
        }
    }

    /// <summary>Interrupts all moves, which go on after the next start.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed) return;
        _disposed = true;
        await _stop.CancelAsync();
        foreach (var task in _running.Values)
            if (task.Completion is { } completion) await completion;
        _stop.Dispose();
    }
}
