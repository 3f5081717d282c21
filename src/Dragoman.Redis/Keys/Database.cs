using Dragoman.Broker.Channels;

namespace Dragoman.Redis.Keys;

/// <summary>One of the numbered key spaces. Everything is called with the store's lock held.</summary>
internal sealed class Database(KeyStore store, int number)
{
    private readonly Dictionary<byte[], KeyStore.Entry> _entries = new(ByteKeys.Comparer);

    /// <summary>Its number.</summary>
    public int Number { get; } = number;

    /// <summary>How many keys there are, those that have ended and were not noticed yet included.</summary>
    public int Count => _entries.Count;

    /// <summary>How many keys end by themselves.</summary>
    public int Expiring => _entries.Values.Count(static e => e.ExpiresAt >= 0);

    /// <summary>The entry of a key; null if there is none.</summary>
    public KeyStore.Entry? Find(ReadOnlySpan<byte> key)
    {
        if (!_entries.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(key, out var entry)) return null;
        if (entry.ExpiresAt >= 0 && entry.ExpiresAt <= store.Now)
        {
            Expire(entry);
            return null;
        }
        store.Used(entry);
        return entry;
    }

    /// <summary>What differs whenever a key has changed; 0 for none.</summary>
    public long VersionOf(ReadOnlySpan<byte> key) => Find(key)?.Version ?? 0;

    /// <summary>Sets a value and forgets when the key was to end.</summary>
    /// <returns>False if there is no room.</returns>
    public bool TrySet(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, long expiresAt = -1)
    {
        var entry = Find(key);
        if (!TryWrite(ref entry, key, value)) return false;
        store.SetExpiry(entry!, expiresAt);
        return true;
    }

    /// <summary>Replaces a value and leaves when the key ends.</summary>
    /// <returns>False if there is no room.</returns>
    public bool TryReplace(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        var entry = Find(key);
        return TryWrite(ref entry, key, value);
    }

    /// <summary>Says when a key ends.</summary>
    public void SetExpiry(KeyStore.Entry entry, long expiresAt)
    {
        store.SetExpiry(entry, expiresAt);
        store.Changed(entry, entry.Bytes);
    }

    /// <summary>Removes a key.</summary>
    /// <returns>Whether it was there.</returns>
    public bool Remove(ReadOnlySpan<byte> key)
    {
        if (Find(key) is not { } entry) return false;
        Remove(entry);
        return true;
    }

    public void Remove(KeyStore.Entry entry)
    {
        _entries.Remove(entry.Key);
        store.Removed(entry);
    }

    /// <summary>Removes a key whose time has come.</summary>
    public void Expire(KeyStore.Entry entry)
    {
        Remove(entry);
        store.Events.Tell('x', "expired", Number, entry.Key);
    }

    /// <summary>Removes all keys.</summary>
    public void Clear()
    {
        foreach (var entry in _entries.Values) store.Removed(entry);
        _entries.Clear();
        _entries.TrimExcess();
    }

    /// <summary>All keys.</summary>
    public IEnumerable<byte[]> Keys
    {
        get
        {
            var now = store.Now;
            foreach (var entry in _entries.Values)
                if (entry.ExpiresAt < 0 || entry.ExpiresAt > now) yield return entry.Key;
        }
    }

    private bool TryWrite(ref KeyStore.Entry? entry, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        // The key must not make room for itself.
        if (entry is not null) store.Used(entry);
        var more = entry is null ? new KeyStore.Entry(this, []).Bytes + key.Length + value.Length : value.Length - entry.Value.Length;
        if (more > 0 && !store.TryMakeRoom(more)) return false;
        if (entry is not null && entry.Node!.List is null) entry = null;
        var isNew = entry is null;
        if (isNew)
        {
            entry = new KeyStore.Entry(this, key.ToArray());
            _entries.Add(entry.Key, entry);
            store.Added(entry);
            store.Events.Tell('n', "new", Number, key);
        }
        var before = entry!.Bytes;
        entry.Value = value.ToArray();
        store.Changed(entry, before);
        return true;
    }
}
