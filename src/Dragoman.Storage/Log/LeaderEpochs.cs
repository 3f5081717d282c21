using Dragoman.Storage.Platform;

namespace Dragoman.Storage.Log;

/// <summary>From which offset on each leader epoch wrote a log. Guarded by the log's lock.</summary>
public sealed class LeaderEpochs
{
    private readonly List<(int Epoch, long StartOffset)> _epochs = [];

    /// <summary>The epochs, oldest first.</summary>
    public IReadOnlyList<(int Epoch, long StartOffset)> All => _epochs;

    /// <summary>The newest epoch that wrote, or -1.</summary>
    public int Latest => _epochs.Count == 0 ? -1 : _epochs[^1].Epoch;

    /// <summary>Notes that an epoch wrote at an offset. Only its first offset is kept.</summary>
    public void Assign(int epoch, long offset)
    {
        if (epoch <= Latest) return;
        Invariant.Check(_epochs.Count == 0 || offset >= _epochs[^1].StartOffset, "epochs start in the order of their offsets");
        _epochs.Add((epoch, offset));
    }

    /// <summary>
    /// The largest epoch not above the one asked for, and the offset at which it ended: where the next epoch began,
    /// or the end of the log. (-1, -1) if the log knows of none (KIP-101, KIP-320).
    /// </summary>
    public (int Epoch, long EndOffset) EndOf(int epoch, long logEnd)
    {
        if (epoch < 0 || _epochs.Count == 0 || epoch > Latest) return (-1, -1);
        for (var i = _epochs.Count - 1; i >= 0; i--)
        {
            if (_epochs[i].Epoch <= epoch)
                return (_epochs[i].Epoch, i + 1 < _epochs.Count ? _epochs[i + 1].StartOffset : logEnd);
        }
        return (epoch, _epochs[0].StartOffset);
    }

    /// <summary>The epoch that wrote an offset, or -1.</summary>
    public int At(long offset)
    {
        for (var i = _epochs.Count - 1; i >= 0; i--)
            if (_epochs[i].StartOffset <= offset) return _epochs[i].Epoch;
        return -1;
    }

    /// <summary>Drops epochs that ended at or before an offset; the first one left starts there.</summary>
    public void ForgetBefore(long offset)
    {
        var keep = 0;
        while (keep + 1 < _epochs.Count && _epochs[keep + 1].StartOffset <= offset) keep++;
        _epochs.RemoveRange(0, keep);
        if (_epochs.Count > 0 && _epochs[0].StartOffset < offset) _epochs[0] = (_epochs[0].Epoch, offset);
    }
}
