using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Subscriptions;

/// <summary>Where subscriptions put what is too much for memory and can be made anew: a start removes it.</summary>
/// <param name="files">The disk.</param>
/// <param name="directory">The store's directory for such files, which it empties when it opens.</param>
/// <param name="entriesInMemory">Entries of an index that are kept in memory.</param>
internal sealed class ScratchFiles(IFileSystem files, string directory, int entriesInMemory)
{
    private long _last;

    public IFileSystem Files { get; } = files;

    /// <summary>Entries of an index that are kept in memory.</summary>
    public int EntriesInMemory { get; } = entriesInMemory;

    /// <summary>A path at which there is no file.</summary>
    public string NextPath() => $"{directory}/due-{Interlocked.Increment(ref _last):D12}";
}
