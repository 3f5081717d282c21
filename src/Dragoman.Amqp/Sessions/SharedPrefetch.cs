namespace Dragoman.Amqp.Sessions;

/// <summary>
/// The limit of what all consumers of a channel hold together (<c>basic.qos</c> with <c>global</c>). Each consumer is
/// granted all that is left; of what comes in at once, what is too much goes back to its place.
/// </summary>
internal sealed class SharedPrefetch
{
    private readonly Lock _lock = new();
    private int _limit;
    private int _used;

    /// <summary>Whether there is a limit.</summary>
    public bool IsLimited => Volatile.Read(ref _limit) > 0;

    /// <summary>The limit; 0 for none.</summary>
    public int Max => Volatile.Read(ref _limit);

    /// <summary>How many more messages the consumers may hold.</summary>
    public int Left
    {
        get
        {
            lock (_lock) return _limit == 0 ? int.MaxValue : Math.Max(0, _limit - _used);
        }
    }

    /// <summary>Sets the limit; 0 for none.</summary>
    public void Limit(int messages)
    {
        lock (_lock) _limit = messages;
    }

    /// <summary>Takes in that a consumer has got messages.</summary>
    /// <returns>How many of them it may keep.</returns>
    public int Take(int messages)
    {
        lock (_lock)
        {
            var kept = _limit == 0 ? messages : Math.Clamp(_limit - _used, 0, messages);
            _used += kept;
            return kept;
        }
    }

    /// <summary>Takes in that consumers hold fewer messages.</summary>
    public void Return(int messages)
    {
        lock (_lock) _used -= messages;
    }
}
