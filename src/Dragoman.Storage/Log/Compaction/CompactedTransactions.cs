namespace Dragoman.Storage.Log.Compaction;

/// <summary>
/// Which records of a log belong to aborted transactions, and which markers end a transaction of which nothing is left.
/// </summary>
/// <remarks>Batches are shown to it in the order of their offsets, from the start of the log on.</remarks>
internal sealed class CompactedTransactions
{
    private readonly Dictionary<long, List<AbortedTransaction>> _aborted = [];
    private readonly HashSet<long> _withRecords = [];

    public CompactedTransactions(IEnumerable<AbortedTransaction> aborted)
    {
        foreach (var transaction in aborted)
        {
            if (!_aborted.TryGetValue(transaction.ProducerId, out var known)) _aborted.Add(transaction.ProducerId, known = []);
            known.Add(transaction);
        }
    }

    /// <summary>Whether a transactional batch was taken back.</summary>
    public bool IsAborted(long producerId, long offset)
    {
        if (!_aborted.TryGetValue(producerId, out var known)) return false;
        foreach (var transaction in known)
            if (transaction.FirstOffset <= offset && offset <= transaction.LastOffset) return true;
        return false;
    }

    /// <summary>Notes that a transaction of a producer still has a batch.</summary>
    public void Saw(long producerId) => _withRecords.Add(producerId);

    /// <summary>Takes in a marker; whether nothing is left of what it ends.</summary>
    public bool EndsNothing(long producerId) => !_withRecords.Remove(producerId);
}
