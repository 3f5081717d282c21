namespace Dragoman.Storage.Platform;

/// <summary>What every implementation of <see cref="IFileSystem.LockDirectory"/> agrees on.</summary>
public static class DirectoryLock
{
    /// <summary>The file inside a data directory that carries its lock. It stays when the lock is released.</summary>
    public const string FileName = "dragoman.lock";
}
