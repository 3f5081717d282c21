namespace Dragoman.Storage.Journal;

/// <summary>
/// There is no room to commit. Nothing was changed and no offset was given out; the same commit may succeed later.
/// </summary>
public sealed class StorageFullException : IOException
{
    /// <summary>Creates the exception.</summary>
    public StorageFullException(string message) : base(message) { }

    /// <summary>Creates the exception with its cause.</summary>
    public StorageFullException(string message, Exception inner) : base(message, inner) { }

    /// <summary>Creates the exception.</summary>
    public StorageFullException() { }
}

/// <summary>
/// A write or a sync failed, so what is on disk is no longer known: the store has stopped, and only recovery from
/// disk can say what was committed. The outcome of the commit that sees this is unknown.
/// </summary>
public sealed class StoreFailedException : IOException
{
    /// <summary>Creates the exception.</summary>
    public StoreFailedException(string message) : base(message) { }

    /// <summary>Creates the exception with its cause.</summary>
    public StoreFailedException(string message, Exception inner) : base(message, inner) { }

    /// <summary>Creates the exception.</summary>
    public StoreFailedException() { }
}

/// <summary>
/// What is on disk cannot be what was committed: a hole, a flipped bit, a file that is missing or from a newer
/// release. The store refuses to open rather than lose acknowledged messages silently.
/// </summary>
public sealed class CorruptStoreException : IOException
{
    /// <summary>Creates the exception.</summary>
    public CorruptStoreException(string message) : base(message) { }

    /// <summary>Creates the exception with its cause.</summary>
    public CorruptStoreException(string message, Exception inner) : base(message, inner) { }

    /// <summary>Creates the exception.</summary>
    public CorruptStoreException() { }
}
