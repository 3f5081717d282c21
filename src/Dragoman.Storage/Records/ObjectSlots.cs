namespace Dragoman.Storage.Records;

/// <summary>
/// Keeps a few idle objects for reuse, without locks. Whoever takes one owns it until it is put back; what finds no
/// free slot is disposed of.
/// </summary>
internal sealed class ObjectSlots<T>(Func<T> create) where T : class, IDisposable
{
    private readonly T?[] _slots = new T?[Math.Clamp(Environment.ProcessorCount, 2, 16)];

    public T Take()
    {
        for (int i = 0; i < _slots.Length; i++)
        {
            if (_slots[i] is not null && Interlocked.Exchange(ref _slots[i], null) is { } found)
            {
                return found;
            }
        }

        return create();
    }

    public void Put(T item)
    {
        for (int i = 0; i < _slots.Length; i++)
        {
            if (_slots[i] is null && Interlocked.CompareExchange(ref _slots[i], item, null) is null)
            {
                return;
            }
        }

        item.Dispose();
    }
}
