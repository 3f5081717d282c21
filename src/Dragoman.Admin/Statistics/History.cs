namespace Dragoman.Admin.Statistics;

/// <summary>Samples of a value, the newest first.</summary>
/// <param name="Points">Times, in milliseconds since 1970, and values.</param>
/// <param name="AverageRate">How much it has risen a second, over all of them.</param>
/// <param name="Average">The mean of the values.</param>
internal sealed record SampleSet(IReadOnlyList<(long Timestamp, long Value)> Points, double AverageRate, double Average);

/// <summary>
/// Looks at some values over a day, the closer the more recent: each five seconds of ten minutes, each minute of an hour,
/// each ten minutes of eight hours, each half hour of a day. These are RabbitMQ's own steps
/// (<c>management.sample_retention_policies</c>).
/// </summary>
internal sealed class History
{
    private static readonly (int StepSeconds, int Count)[] Steps = [(5, 122), (60, 62), (600, 50), (1800, 50)];

    private readonly Lock _lock = new();
    private readonly Ring[] _rings = [.. Steps.Select(static s => new Ring(s.StepSeconds * 1000L, s.Count))];

    /// <summary>Adds a look. The values must not change any more.</summary>
    public void Add(long[] values, long now)
    {
        lock (_lock)
            foreach (var ring in _rings) ring.Add(values, now);
    }

    /// <summary>Samples of the sum of some values.</summary>
    /// <param name="indexes">Which values.</param>
    /// <param name="ageSeconds">How far back.</param>
    /// <param name="stepSeconds">How far apart.</param>
    /// <param name="now">The time, in milliseconds since 1970.</param>
    public SampleSet Sample(ReadOnlySpan<int> indexes, int ageSeconds, int stepSeconds, long now)
    {
        var step = Math.Max(1, stepSeconds) * 1000L;
        var count = Math.Clamp(ageSeconds * 1000L / step, 1, 2000) + 1;
        var points = new List<(long, long)>((int)count);
        var total = 0.0;
        lock (_lock)
        {
            var ring = Array.Find(_rings, r => r.SpanMs >= ageSeconds * 1000L) ?? _rings[^1];
            var newest = ring.NewestAt / step * step;
            if (newest == 0) newest = now / step * step;
            for (var i = 0; i < count; i++)
            {
                var at = newest - i * step;
                // What was not looked at is nothing, as in RabbitMQ.
                var value = 0L;
                if (ring.At(at) is { } values)
                    foreach (var index in indexes) value += values[index];
                points.Add((at, value));
                total += value;
            }
        }
        return new SampleSet(points, (points[0].Item2 - points[^1].Item2) / ((count - 1) * step / 1000.0), total / count);
    }

    /// <summary>Looks in steps of one length.</summary>
    private sealed class Ring(long stepMs, int capacity)
    {
        private readonly (long At, long[] Values)[] _entries = new (long, long[])[capacity];
        private int _next;
        private int _count;

        public long SpanMs => stepMs * (capacity - 1);

        /// <summary>When the newest was; 0 if there is none.</summary>
        public long NewestAt => _count == 0 ? 0 : _entries[(_next + capacity - 1) % capacity].At;

        public void Add(long[] values, long now)
        {
            var at = now / stepMs * stepMs;
            if (_count > 0 && NewestAt >= at)
            {
                // The last look of a step is the step's.
                _entries[(_next + capacity - 1) % capacity] = (NewestAt, values);
                return;
            }
            _entries[_next] = (at, values);
            _next = (_next + 1) % capacity;
            if (_count < capacity) _count++;
        }

        /// <summary>The values at a time: the last that were looked at until then.</summary>
        public long[]? At(long time)
        {
            for (var i = 1; i <= _count; i++)
            {
                ref var entry = ref _entries[(_next + capacity - i) % capacity];
                if (entry.At <= time) return entry.Values;
            }
            return null;
        }
    }
}
