using System.Collections.Immutable;

namespace Dragoman.Broker.Namespaces;

/// <summary>How a change to the namespaces ended.</summary>
public enum NamespaceStatus
{
    /// <summary>It was done.</summary>
    Ok,

    /// <summary>A namespace of that name is there already.</summary>
    AlreadyExists,

    /// <summary>There is no such namespace.</summary>
    NotFound,

    /// <summary>The name is not allowed, or the namespace is the one that is always there.</summary>
    Invalid,

    /// <summary>Topics or queues are in it.</summary>
    InUse,

    /// <summary>There is no room on disk; later there may be.</summary>
    Full,

    /// <summary>The disk failed.</summary>
    StorageError,
}

/// <summary>The answer to a change of the namespaces.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Message">What is wrong, for a person.</param>
public readonly record struct NamespaceAnswer(NamespaceStatus Status, string? Message = null);

/// <summary>A namespace that was created.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Description">What it is for, as its creator says.</param>
/// <param name="CreatedAt">When it was created.</param>
public sealed record NamespaceEntry(NamespaceName Name, string Description, DateTimeOffset CreatedAt)
{
    /// <summary>What front ends keep with it and give meaning to.</summary>
    public ImmutableSortedDictionary<string, string> Attributes { get; init; } = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);
}

/// <summary>
/// The namespaces that were created for clients that have to name one that is there, such as a virtual host.
/// <see cref="NamespaceName.Default"/> is always there.
/// </summary>
public interface INamespaces
{
    /// <summary>Whether there is a namespace of that name.</summary>
    bool Exists(NamespaceName name);

    /// <summary>A namespace; null if there is none of that name.</summary>
    NamespaceEntry? Find(NamespaceName name);

    /// <summary>All namespaces, the default one first and the others in the order of their names.</summary>
    IReadOnlyList<NamespaceEntry> List();

    /// <summary>Creates a namespace. The answer comes when that is on disk.</summary>
    ValueTask<NamespaceAnswer> CreateAsync(NamespaceName name, string description = "", CancellationToken cancellation = default);

    /// <summary>Replaces what is said of a namespace by what a function makes of it; it may be called under a lock and must be pure.</summary>
    ValueTask<NamespaceAnswer> ChangeAsync(NamespaceName name, Func<NamespaceEntry, NamespaceEntry> change, CancellationToken cancellation = default);

    /// <summary>Deletes a namespace in which nothing is.</summary>
    ValueTask<NamespaceAnswer> DeleteAsync(NamespaceName name, CancellationToken cancellation = default);
}
