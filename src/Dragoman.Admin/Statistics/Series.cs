namespace Dragoman.Admin.Statistics;

/// <summary>Values that were looked at twice, a while apart.</summary>
/// <param name="Before">The values the time before; null if there was none.</param>
/// <param name="BeforeMs">When that was, in milliseconds since 1970.</param>
/// <param name="Now">The values the last time.</param>
/// <param name="NowMs">When that was.</param>
internal sealed record Window(long[]? Before, long BeforeMs, long[] Now, long NowMs)
{
    /// <summary>How much a value has risen a second between the two.</summary>
    public double Rate(int index) => Before is null || NowMs <= BeforeMs ? 0 : (Now[index] - Before[index]) * 1000.0 / (NowMs - BeforeMs);
}

/// <summary>What the sampler remembers of one thing. Read from any thread; written by the sampler alone.</summary>
internal sealed class Series
{
    private volatile Window? _window;
    private volatile History? _history;
    private long _watchedUntil;

    /// <summary>The last two looks.</summary>
    public Window? Window => _window;

    /// <summary>Older looks, if somebody wants them.</summary>
    public History? History => _history;

    /// <summary>The round in which it was seen last.</summary>
    public int Round { get; set; }

    /// <summary>Has older looks kept until a time, in milliseconds since 1970.</summary>
    public void Watch(long until)
    {
        Volatile.Write(ref _watchedUntil, until);
        _history ??= new History();
    }

    /// <summary>Takes in a look.</summary>
    public void Add(ReadOnlySpan<long> values, long now)
    {
        var before = _window;
        // Most things do not change most of the time, and then nothing is copied.
        var same = before is not null && values.SequenceEqual(before.Now);
        _window = new Window(before?.Now, before?.NowMs ?? 0, same ? before!.Now : values.ToArray(), now);
        if (_history is not { } history) return;
        if (Volatile.Read(ref _watchedUntil) < now) _history = null;
        else history.Add(_window.Now, now);
    }
}
