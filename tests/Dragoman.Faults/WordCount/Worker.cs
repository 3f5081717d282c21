using System.Globalization;
using System.Text.Json;
using Dragoman.TestKit;

namespace Dragoman.Faults.WordCount;

/// <summary>
/// A process that counts words, with Debian's python3-confluent-kafka: see <c>scripts/word_count.py</c>. All that has one
/// id succeed one another.
/// </summary>
internal sealed class Worker : IAsyncDisposable
{
    private readonly ForeignProcess _process;
    private readonly Task _listening;
    private readonly TaskCompletionSource _holding = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _begun;
    private long _committed;
    private long _lines;
    private bool _disposed;

    private Worker(string id, ForeignProcess process)
    {
        Id = id;
        _process = process;
        _listening = ListenAsync();
    }

    /// <summary>Its transactional id.</summary>
    public string Id { get; }

    /// <summary>Transactions that it has begun.</summary>
    public long Begun => Interlocked.Read(ref _begun);

    /// <summary>Transactions that it knows to be committed.</summary>
    public long Committed => Interlocked.Read(ref _committed);

    /// <summary>Lines that were counted in these.</summary>
    public long Lines => Interlocked.Read(ref _lines);

    public bool HasExited => _process.HasExited;

    /// <summary>Starts one.</summary>
    /// <param name="broker">Host and port.</param>
    /// <param name="id">Its transactional id.</param>
    /// <param name="isStatic">Whether it is a static member of the group, so that its successor has its share at once.</param>
    /// <param name="isAtomic">Whether it says in the transaction how far it has read; else only afterwards, which is a mistake.</param>
    public static Worker Start(string broker, string id, bool isStatic, bool isAtomic = true) =>
        new(id, Scripts.StartPython("tests/Dragoman.Faults/scripts/word_count.py", broker, JsonSerializer.Serialize(new
        {
            id,
            group = WordCountTests.Group,
            input = WordCountTests.Input,
            output = WordCountTests.Output,
            @static = isStatic,
            atomic = isAtomic,
        })));

    /// <summary>Ends it as a crash would.</summary>
    public async Task KillAsync() => await _process.KillAsync();

    /// <summary>Has it stop in the middle of its next transaction, and waits until it has.</summary>
    /// <returns>False if it ended instead.</returns>
    public async Task<bool> HoldAsync()
    {
        await TellAsync("hold");
        return await Task.WhenAny(_holding.Task, _listening).WaitAsync(TimeSpan.FromMinutes(1)) == _holding.Task;
    }

    /// <summary>Has it go on in its transaction.</summary>
    public Task GoOnAsync() => TellAsync("go");

    /// <summary>Has it end when its transaction is over.</summary>
    public void EndSoon() => _process.Input.Close();

    /// <summary>Waits for its end; fails if that is for a reason that must not be.</summary>
    /// <returns>Whether it could not go on, and wants a successor.</returns>
    public async Task<bool> WaitAsync()
    {
        var result = await _process.WaitAsync();
        await _listening;
        return result.ExitCode switch
        {
            0 => false,
            3 => true,
            _ => throw new InvalidOperationException($"{Id} ended with {result.ExitCode}: {result.Error}\n{Tail()}"),
        };
    }

    public async ValueTask DisposeAsync()
    {
        if (_disposed) return;
        _disposed = true;
        await _process.DisposeAsync();
        await _listening;
    }

    private string Tail() => string.Join('\n', _process.Output.Split('\n').TakeLast(10));

    private async Task TellAsync(string command)
    {
        try
        {
            await _process.Input.WriteAsync(System.Text.Encoding.ASCII.GetBytes(command + "\n"));
            await _process.Input.FlushAsync();
        }
        catch (IOException)
        {
            // It has ended, and whoever waits for it sees that.
        }
    }

    private async Task ListenAsync()
    {
        while (await _process.ReadLineAsync(Timeout.InfiniteTimeSpan) is { } line)
        {
            switch (line.Split(' '))
            {
                case ["begun", ..]:
                    Interlocked.Increment(ref _begun);
                    break;
                case ["committed", var lines]:
                    Interlocked.Increment(ref _committed);
                    Interlocked.Add(ref _lines, long.Parse(lines, CultureInfo.InvariantCulture));
                    break;
                case ["holding"]:
                    _holding.TrySetResult();
                    break;
            }
        }
    }
}
