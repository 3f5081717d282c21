namespace Dragoman.TestKit;

/// <summary>Waits for what must come about in its own time.</summary>
public static class Eventually
{
    /// <summary>Asks again and again until it is so.</summary>
    /// <param name="isSo">The question.</param>
    /// <param name="what">What is waited for, for the message.</param>
    /// <param name="limit">How long to wait; null for 30 seconds.</param>
    /// <exception cref="TimeoutException">It did not come about.</exception>
    public static async Task TrueAsync(Func<Task<bool>> isSo, string what, TimeSpan? limit = null)
    {
        var allowed = limit ?? TimeSpan.FromSeconds(30);
        var start = TimeProvider.System.GetTimestamp();
        while (!await isSo())
        {
            if (TimeProvider.System.GetElapsedTime(start) > allowed) throw new TimeoutException($"Waited {allowed} in vain: {what}.");
            await Task.Delay(50);
        }
    }

    /// <summary>Asks again and again until it is so.</summary>
    public static Task TrueAsync(Func<bool> isSo, string what, TimeSpan? limit = null) => TrueAsync(() => Task.FromResult(isSo()), what, limit);
}
