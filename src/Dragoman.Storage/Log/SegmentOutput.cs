using Dragoman.Storage.Platform;

namespace Dragoman.Storage.Log;

/// <summary>A segment file that is being written: its space is reserved before it is used, so that a full disk shows there.</summary>
internal sealed class SegmentOutput : IDisposable
{
    private const long ReserveStep = 16L << 20;

    private readonly IStorageFile _handle;

    private SegmentOutput(StoreFile file, IStorageFile handle)
    {
        File = file;
        _handle = handle;
        Writer = new SegmentWriter(handle, file.Number);
    }

    public StoreFile File { get; }

    public SegmentWriter Writer { get; }

    /// <summary>Begins a file.</summary>
    /// <param name="store">The store.</param>
    /// <param name="estimate">About how long it will be, in bytes.</param>
    /// <param name="headroom">What must be free besides.</param>
    /// <param name="written">Gets the file, to be removed if it is not used after all.</param>
    /// <exception cref="DiskFullException">There is no room.</exception>
    public static SegmentOutput Create(Store store, long estimate, long headroom, List<StoreFile> written)
    {
        var number = store.Numbers.Next();
        var directory = store.Options.Directory;
        var file = store.Table.Add(number, Journal.CheckpointWriter.SegmentPath(directory, number));
        var handle = store.Table.Files.Open(file.Path, FileOpenMode.CreateNew);
        written.Add(file);
        try
        {
            if (store.Table.Files.FreeBytes(directory) < estimate + headroom) throw new DiskFullException($"A segment needs {estimate} bytes.");
            handle.Preallocate(estimate);
            return new SegmentOutput(file, handle);
        }
        catch
        {
            handle.Dispose();
            throw;
        }
    }

    /// <summary>Reserves space where the estimate was too low.</summary>
    /// <exception cref="DiskFullException">There is no room.</exception>
    public void Reserve(long bytes)
    {
        if (Writer.Length + bytes > _handle.Length) _handle.Preallocate(Writer.Length + bytes + ReserveStep);
    }

    /// <summary>Ends the file and makes it durable; its name is not yet.</summary>
    public async Task FinishAsync()
    {
        await Writer.FinishAsync();
        if (_handle.Length > Writer.Length) _handle.Truncate(Writer.Length);
        await _handle.SyncAsync();
        File.DataLength = Writer.Length;
    }

    public void Dispose() => Writer.Dispose();
}
