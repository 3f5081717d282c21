namespace Dragoman.Load.Startup;

/// <summary>A broker of ours in a directory that goes with it.</summary>
internal sealed class TemporaryBroker : IAsyncDisposable
{
    private readonly string _directory;

    private TemporaryBroker(string directory, StartedBroker process)
    {
        _directory = directory;
        Process = process;
    }

    public StartedBroker Process { get; }

    /// <summary>Starts a broker and waits until it is ready.</summary>
    /// <param name="executable">The built or published program.</param>
    /// <param name="parent">The directory to make its data directory in.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <param name="options">More options of <c>serve</c>.</param>
    public static async Task<TemporaryBroker> StartAsync(string executable, string parent, CancellationToken cancellation, params IEnumerable<string> options)
    {
        var directory = Path.Join(Path.GetFullPath(parent), $"dragoman-load-{Guid.NewGuid():N}");
        Directory.CreateDirectory(directory);
        try
        {
            return new TemporaryBroker(directory, await StartedBroker.StartAsync(executable, directory, cancellation, options));
        }
        catch
        {
            Directory.Delete(directory, recursive: true);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Process.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }
}
