using System.Collections.Concurrent;

namespace Dragoman.Broker.Channels;

/// <summary>
/// The channels of a namespace that somebody listens to: names alone, kept in memory while they are listened to. A publish
/// reads without a lock and waits for nobody.
/// </summary>
public sealed class ChannelSpace
{
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<byte[], ListenerSet> _channels = new(ByteKeys.Comparer);
    private readonly ConcurrentDictionary<byte[], ListenerSet>.AlternateLookup<ReadOnlySpan<byte>> _byName;
    private readonly Dictionary<byte[], Pattern> _patterns = new(ByteKeys.Comparer);
    private volatile Pattern[]? _patternCopy = [];
    private volatile int _channelCount;

    /// <summary>Creates an empty space.</summary>
    public ChannelSpace() => _byName = _channels.GetAlternateLookup<ReadOnlySpan<byte>>();

    private sealed record Pattern(Glob Glob, ListenerSet Listeners);

    /// <summary>Hears that a channel or pattern has got its first listener, or lost its last. Called with no lock held.</summary>
    internal Action<ReadOnlyMemory<byte>, bool>? Changed { get; set; }

    /// <summary>Whether nobody listens to anything.</summary>
    public bool IsEmpty => _channelCount == 0 && (_patternCopy ?? CopyOfPatterns()).Length == 0;

    /// <summary>How many different patterns are listened to.</summary>
    public int PatternCount
    {
        get
        {
            lock (_lock) return _patterns.Count;
        }
    }

    /// <summary>How many channels are listened to by name.</summary>
    public int ChannelCount => _channelCount;

    /// <summary>Begins to listen to a channel. Messages that are published after the return are heard.</summary>
    public ChannelSubscription Subscribe(ReadOnlySpan<byte> channel, IChannelListener listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        ChannelSubscription added;
        lock (_lock)
        {
            if (!_byName.TryGetValue(channel, out var set))
            {
                set = new ListenerSet(channel.ToArray(), isPattern: false);
                _channels[set.Name] = set;
                _channelCount++;
            }
            added = set.Add(listener);
            if (set.Count > 1) return added;
        }
        Changed?.Invoke(added.Name, false);
        return added;
    }

    /// <summary>Begins to listen to all channels that match a pattern: see <see cref="Glob"/>.</summary>
    public ChannelSubscription SubscribePattern(ReadOnlySpan<byte> pattern, IChannelListener listener)
    {
        ArgumentNullException.ThrowIfNull(listener);
        ChannelSubscription added;
        lock (_lock)
        {
            var byName = _patterns.GetAlternateLookup<ReadOnlySpan<byte>>();
            if (!byName.TryGetValue(pattern, out var known))
            {
                known = new Pattern(new Glob(pattern), new ListenerSet(pattern.ToArray(), isPattern: true));
                _patterns[known.Listeners.Name] = known;
                _patternCopy = null;
            }
            added = known.Listeners.Add(listener);
            if (known.Listeners.Count > 1) return added;
        }
        Changed?.Invoke(added.Name, true);
        return added;
    }

    /// <summary>Ends a subscription; once more is harmless.</summary>
    public void Unsubscribe(ChannelSubscription subscription)
    {
        ArgumentNullException.ThrowIfNull(subscription);
        var isPattern = subscription.IsPattern;
        lock (_lock)
        {
            if (subscription.IsEnded) return;
            subscription.IsEnded = true;
            var set = subscription.Set;
            set.Remove(subscription);
            if (set.Count > 0) return;
            if (isPattern)
            {
                _patterns.Remove(set.Name);
                _patternCopy = null;
            }
            else
            {
                _channels.TryRemove(set.Name, out _);
                _channelCount--;
            }
        }
        Changed?.Invoke(subscription.Name, isPattern);
    }

    /// <summary>Lets everybody who listens hear a message.</summary>
    /// <param name="channel">The channel.</param>
    /// <param name="payload">The message.</param>
    /// <param name="run">What the publisher publishes in a row, if it does: the message may be heard only when that ends.</param>
    /// <returns>How many subscriptions heard it, or will: a listener with several counts once for each.</returns>
    public int Publish(ReadOnlySpan<byte> channel, ReadOnlySpan<byte> payload, ChannelRun? run = null)
    {
        var heard = 0;
        var patterns = _patternCopy ?? CopyOfPatterns();
        if (_byName.TryGetValue(channel, out var set))
        {
            var listeners = set.Copy ?? CopyOf(set);
            heard = listeners.Length;
            // Who hears a message by a pattern too hears it before the next one.
            if (run is not null && ChannelRun.Takes(payload) && !MatchesAny(patterns, channel))
            {
                run.Add(set, listeners, payload);
                return heard;
            }
            run?.End();
            Hand(listeners, channel, default, payload, [payload.Length]);
        }
        foreach (var pattern in patterns)
        {
            if (!pattern.Glob.Matches(channel)) continue;
            run?.End();
            var listeners = pattern.Listeners.Copy ?? CopyOf(pattern.Listeners);
            Hand(listeners, channel, pattern.Listeners.Name, payload, [payload.Length]);
            heard += listeners.Length;
        }
        return heard;
    }

    /// <summary>Hands messages to some who listen.</summary>
    internal static void Hand(ChannelSubscription[] listeners, ReadOnlySpan<byte> channel, ReadOnlySpan<byte> pattern, ReadOnlySpan<byte> payloads, ReadOnlySpan<int> ends)
    {
        var forms = MessageForms.Take();
        var messages = new ChannelMessages(channel, pattern, payloads, ends, forms);
        foreach (var subscription in listeners) subscription.Listener.OnMessages(subscription, messages);
        forms.Return();
    }

    private static bool MatchesAny(Pattern[] patterns, ReadOnlySpan<byte> channel)
    {
        foreach (var pattern in patterns)
            if (pattern.Glob.Matches(channel)) return true;
        return false;
    }

    /// <summary>Whether anybody would hear what is published to a channel.</summary>
    public bool HasListeners(ReadOnlySpan<byte> channel) => _byName.ContainsKey(channel) || MatchesAny(_patternCopy ?? CopyOfPatterns(), channel);

    /// <summary>How many subscriptions would hear what is published to a channel, by its name or by a pattern.</summary>
    public int CountAll(ReadOnlySpan<byte> channel)
    {
        lock (_lock)
        {
            var count = _byName.TryGetValue(channel, out var set) ? set.Count : 0;
            foreach (var pattern in _patterns.Values)
                if (pattern.Glob.Matches(channel)) count += pattern.Listeners.Count;
            return count;
        }
    }

    /// <summary>How many listen to a channel by its name.</summary>
    public int CountOf(ReadOnlySpan<byte> channel)
    {
        lock (_lock) return _byName.TryGetValue(channel, out var set) ? set.Count : 0;
    }

    /// <summary>The channels that are listened to by name.</summary>
    /// <param name="pattern">Only those that match; null for all.</param>
    public IReadOnlyList<ReadOnlyMemory<byte>> Channels(Glob? pattern = null)
    {
        var found = new List<ReadOnlyMemory<byte>>();
        foreach (var name in _channels.Keys)
            if (pattern?.Matches(name) != false) found.Add(name);
        return found;
    }

    private ChannelSubscription[] CopyOf(ListenerSet set)
    {
        lock (_lock) return set.MakeCopy();
    }

    private Pattern[] CopyOfPatterns()
    {
        lock (_lock) return _patternCopy ??= [.. _patterns.Values];
    }
}
