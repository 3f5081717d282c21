using System.Diagnostics.CodeAnalysis;
using Dragoman.Broker.Links;
using Dragoman.Links.Ends;
using Microsoft.Extensions.Logging;

namespace Dragoman.Links.Running;

/// <summary>How a link is run.</summary>
/// <param name="Pump">What it does with messages.</param>
/// <param name="ReconnectDelay">How long it waits before it is tried again; zero for not at all.</param>
/// <param name="CreateSource">Makes the source, anew for each attempt.</param>
/// <param name="CreateTarget">Makes the target, once.</param>
/// <param name="Described">What it is called in the log.</param>
internal sealed record LinkOptions(PumpOptions Pump, TimeSpan ReconnectDelay, Func<ILinkSource> CreateSource, Func<ILinkTarget> CreateTarget, string Described)
{
    /// <summary>What is to be done when its work is done.</summary>
    public Func<Task>? OnCompleted { get; init; }

    /// <summary>Runs beside the pump while it is connected; ends with it.</summary>
    public Func<ILinkSource, CancellationToken, Task>? Beside { get; init; }
}

/// <summary>A link that is kept running: after any failure it begins again, and goes on where it was.</summary>
internal sealed class Link(Broker.Broker broker, LinkOptions options, ILogger log) : IAsyncDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _abort = new();
    private readonly LinkCounts _counts = new();
    private readonly Recollection _memory = new(broker.LinkProgress.Find(options.Pump.Name));
    private readonly Lock _lock = new();
    private ILinkTarget? _target;
    private Task _running = Task.CompletedTask;
    private LinkState _state = LinkState.Starting;
    private DateTimeOffset _since = broker.Time.GetUtcNow();
    private string? _reason;

    /// <summary>How it is.</summary>
    public LinkStatus Status
    {
        get
        {
            lock (_lock)
            {
                return new LinkStatus
                {
                    State = _state == LinkState.Running && _target is { IsBlocked: true } ? LinkState.Blocked : _state,
                    Since = _since,
                    Reason = _reason,
                    Forwarded = _counts.Forwarded,
                    Pending = _counts.Pending,
                    Remaining = _counts.Remaining,
                    Repeated = _counts.Repeated,
                    Uncertain = _memory.Uncertain + (_target is RemoteTarget remote ? remote.Uncertain : 0),
                };
            }
        }
    }

    /// <summary>Begins.</summary>
    public void Start() => _running = Task.Run(RunAsync);

    /// <summary>Ends: what is being written is written, and what was taken is acknowledged.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _abort.CancelAfter(Grace);
        await _running.ConfigureAwait(false);
        if (_target is not null) await _target.DisposeAsync().ConfigureAwait(false);
        _stop.Dispose();
        _abort.Dispose();
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever is wrong, it is said, and tried again.")]
    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await RunOnceAsync().ConfigureAwait(false);
                continue;
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                return;
            }
            catch (LinkCompletedException)
            {
                log.LogInformation("{Link} has carried what it was to carry", options.Described);
                Set(LinkState.Terminated, "completed");
                if (options.OnCompleted is { } completed) await completed().ConfigureAwait(false);
                return;
            }
            catch (Exception error)
            {
                var reason = RemoteConnection.Explain(error);
                if (error is LinkException or OperationCanceledException or RabbitMQ.Client.Exceptions.RabbitMQClientException or IOException) log.LogWarning("{Link} was interrupted: {Reason}", options.Described, reason);
                else log.LogError(error, "{Link} was interrupted", options.Described);
                Set(LinkState.Terminated, reason);
            }
            if (options.ReconnectDelay == TimeSpan.Zero) return;
            try
            {
                await Task.Delay(options.ReconnectDelay, _stop.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            Set(LinkState.Starting, null);
        }
    }

    private async Task RunOnceAsync()
    {
        _target ??= options.CreateTarget();
        await using var source = options.CreateSource();
        await _target.OpenAsync(_stop.Token).ConfigureAwait(false);
        await source.OpenAsync(_stop.Token).ConfigureAwait(false);
        _memory.Begin(source, _target.LastBatch);
        Set(LinkState.Running, null);
        log.LogInformation("{Link} is running", options.Described);
        using var pause = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var pumping = new Pump(options.Pump, source, _target, _memory, broker.LinkProgress, _counts).RunAsync(pause.Token, _abort.Token);
        List<Task> all = [pumping];
        if (options.Beside is { } beside) all.Add(beside(source, pause.Token));
        var first = await Task.WhenAny(all).ConfigureAwait(false);
        await pause.CancelAsync().ConfigureAwait(false);
        try
        {
            await pumping.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (first != pumping && !_stop.IsCancellationRequested)
        {
            // It was only paused, or what runs beside it has failed, and says so.
        }
        await first.ConfigureAwait(false);
    }

    private void Set(LinkState state, string? reason)
    {
        lock (_lock)
        {
            _state = state;
            _reason = reason;
            _since = broker.Time.GetUtcNow();
        }
    }
}
