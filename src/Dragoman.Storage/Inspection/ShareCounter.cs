namespace Dragoman.Storage.Inspection;

/// <summary>Counts whose batches a file holds.</summary>
internal sealed class ShareCounter
{
    private readonly Dictionary<long, LogShare> _shares = [];

    public void Add(long logId, int records, int bytes, long baseOffset, long endOffset)
    {
        _shares[logId] = _shares.TryGetValue(logId, out var share)
            ? share with { Batches = share.Batches + 1, Records = share.Records + records, Bytes = share.Bytes + bytes, EndOffset = Math.Max(share.EndOffset, endOffset) }
            : new LogShare(logId, 1, records, bytes, baseOffset, endOffset);
    }

    /// <summary>What was counted, the largest share first.</summary>
    public IReadOnlyList<LogShare> ToList()
    {
        var list = new List<LogShare>(_shares.Values);
        list.Sort(static (a, b) => b.Bytes != a.Bytes ? b.Bytes.CompareTo(a.Bytes) : a.LogId.CompareTo(b.LogId));
        return list;
    }
}
