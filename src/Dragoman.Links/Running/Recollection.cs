using Dragoman.Broker.Links;
using Dragoman.Links.Ends;
using Dragoman.Links.Messages;

namespace Dragoman.Links.Running;

/// <summary>
/// Knows again what a link has taken before, when its source hands that out once more: after a connection is lost, what was
/// not acknowledged; after a broker was killed, also what was acknowledged in the last moments.
/// </summary>
/// <remarks>
/// Messages have no numbers at a broker elsewhere. They are known by what they say, and by their order: what comes back is
/// what was taken last, in the order in which it was taken. Where messages are alike to the last byte, and nothing between
/// them tells them apart, it cannot be known how many of them come back: those are taken to be new, so that none is lost.
/// </remarks>
internal sealed class Recollection
{
    private readonly Queue<ulong> _window = new();
    private readonly HashSet<long> _sentOffsets = [];
    private Dictionary<ulong, int> _places = [];
    private Dictionary<ulong, int> _sure = [];
    private ulong[] _returning = [];
    private int _cursor = -1;
    private ulong[] _unnoted = [];
    private bool _flagMatters;
    private bool _hasForgotten;
    private bool _isOver;
    private long _taken;
    private long _acknowledged;
    private long _confirmed;

    /// <summary>Creates it from what is on disk.</summary>
    public Recollection(LinkMemory memory)
    {
        foreach (var fingerprint in memory.Fingerprints) _window.Enqueue(fingerprint);
        _taken = memory.Taken;
        _confirmed = memory.Confirmed;
        // Whether the last acknowledgements were sent is not on disk.
        _acknowledged = _taken;
    }

    /// <summary>How many of the messages taken, from the first on, the source has forgotten for sure.</summary>
    public long Confirmed => _confirmed;

    /// <summary>Messages that may have come a second time, and were taken to be new.</summary>
    public long Uncertain { get; private set; }

    /// <summary>A new connection begins.</summary>
    /// <param name="source">The source.</param>
    /// <param name="last">The newest batch that the target has for sure; null for none.</param>
    public void Begin(ILinkSource source, SentBatch? last)
    {
        _sentOffsets.Clear();
        if (last is not null && last.QueueId == source.QueueId) _sentOffsets.UnionWith(last.Offsets);
        if (last is not null && last.QueueId == Guid.Empty && source.MayForget) TakeMissing(last.Fingerprints);
        Begin(source.HasForgotten);
    }

    /// <summary>A new connection begins.</summary>
    /// <param name="hasForgotten">Whether the source may have forgotten what was acknowledged to it.</param>
    public void Begin(bool hasForgotten)
    {
        _hasForgotten |= hasForgotten;
        _flagMatters = !_hasForgotten;
        _isOver = false;
        _cursor = -1;
        var uncertain = _hasForgotten ? _window.Count : (int)Math.Clamp(_taken - _confirmed, 0, _window.Count);
        _returning = [.. _window.Skip(_window.Count - uncertain)];
        _places = new Dictionary<ulong, int>(_returning.Length);
        for (var i = 0; i < _returning.Length; i++)
            if (!_places.TryAdd(_returning[i], i)) _places[_returning[i]] = -1;
        _sure = [];
        foreach (var fingerprint in _window.Skip(_window.Count - (int)Math.Clamp(_taken - _acknowledged, 0, _window.Count)))
            _sure[fingerprint] = _sure.GetValueOrDefault(fingerprint) + 1;
    }

    /// <summary>Whether the link has taken a message before.</summary>
    public bool IsRepeated(LinkMessage message)
    {
        if (_sentOffsets.Count > 0 && _sentOffsets.Remove(message.Number)) return true;
        if (_isOver || _returning.Length == 0) return false;
        if (_flagMatters && !message.IsRedelivered)
        {
            // What comes back comes first.
            End();
            return false;
        }
        var fingerprint = message.Fingerprint;
        if (_cursor >= 0 && _cursor < _returning.Length && _returning[_cursor] == fingerprint)
        {
            _cursor++;
            Spend(fingerprint);
            return true;
        }
        if (!_places.TryGetValue(fingerprint, out var place))
        {
            // Where one that was not taken before can stand among those that were, the search goes on.
            if (!_flagMatters) End();
            return false;
        }
        if (place >= 0)
        {
            _places.Remove(fingerprint);
            _cursor = place + 1;
            Spend(fingerprint);
            return true;
        }
        // Several are alike. Those that were never acknowledged come back for sure.
        if (Spend(fingerprint)) return true;
        Uncertain++;
        return false;
    }

    /// <summary>The link has taken new messages, and its target has them.</summary>
    public void Take(IEnumerable<ulong> fingerprints)
    {
        foreach (var fingerprint in fingerprints)
        {
            _window.Enqueue(fingerprint);
            _taken++;
            if (_window.Count > MaxWindow) _window.Dequeue();
        }
    }

    /// <summary>What was taken and is not on disk here, because only the target has told of it; once.</summary>
    public ulong[] TakeUnnoted()
    {
        var unnoted = _unnoted;
        _unnoted = [];
        return unnoted;
    }

    /// <summary>All that was taken was acknowledged at the source.</summary>
    public void Acknowledge() => _acknowledged = _taken;

    /// <summary>The source has carried acknowledgements out, and new messages were among them.</summary>
    /// <param name="taken">How many messages were taken when they were sent: <see cref="Taken"/>.</param>
    public void Confirm(long taken)
    {
        _confirmed = Math.Max(_confirmed, taken);
        // What comes back comes first, so with new messages all of it has come.
        _hasForgotten = false;
    }

    /// <summary>Messages taken in all.</summary>
    public long Taken => _taken;

    /// <summary>Fingerprints that are kept.</summary>
    public const int MaxWindow = 65_536;

    /// <summary>A batch is at the target that was not noted here.</summary>
    private void TakeMissing(IReadOnlyList<ulong> fingerprints)
    {
        var newest = _window.Skip(Math.Max(0, _window.Count - fingerprints.Count));
        if (newest.SequenceEqual(fingerprints)) return;
        Take(fingerprints);
        _unnoted = [.. fingerprints];
    }

    private void End()
    {
        _isOver = true;
        _places = [];
        _returning = [];
        _sure = [];
    }

    private bool Spend(ulong fingerprint)
    {
        if (!_sure.TryGetValue(fingerprint, out var count)) return false;
        if (count == 1) _sure.Remove(fingerprint);
        else _sure[fingerprint] = count - 1;
        return true;
    }
}
