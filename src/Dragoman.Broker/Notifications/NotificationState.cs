using System.Buffers;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Notifications;

/// <summary>What is remembered of a message of a topic that keeps order, so that a copy is known as one.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Sequence">Its number in the topic.</param>
/// <param name="AtMs">When it was published, in milliseconds since 1970.</param>
internal readonly record struct PublishedOnce(Guid Id, long Sequence, long AtMs);

/// <summary>Topics with subscriptions of a front end's own, and what else that keeps: the state machine behind <see cref="Notifications"/>.</summary>
internal sealed class NotificationState : IStateMachine
{
    private const byte Version = 1;

    private readonly Dictionary<TopicName, NotificationTopic> _topics = [];
    private readonly Dictionary<Guid, NotificationSubscription> _subscriptions = [];
    private readonly Dictionary<string, byte[]> _settings = new(StringComparer.Ordinal);
    private readonly Dictionary<TopicName, Ordered> _ordered = [];

    private enum Kind : byte
    {
        PutTopic = 1,
        RemoveTopic = 2,
        PutSubscription = 3,
        RemoveSubscription = 4,
        PutSetting = 5,
        RemoveSetting = 6,
        Publish = 7,
    }

    /// <summary>What a topic that keeps order has published.</summary>
    private sealed class Ordered
    {
        public long NextSequence { get; set; }

        public Dictionary<string, PublishedOnce> Known { get; } = new(StringComparer.Ordinal);

        public Queue<(string Key, long AtMs)> Ages { get; } = new();

        public void Add(string key, in PublishedOnce published)
        {
            while (Ages.TryPeek(out var oldest) && oldest.AtMs <= published.AtMs - Notifications.DeduplicationWindowMs)
            {
                Ages.Dequeue();
                if (Known.TryGetValue(oldest.Key, out var known) && known.AtMs == oldest.AtMs) Known.Remove(oldest.Key);
            }
            NextSequence = Math.Max(NextSequence, published.Sequence + 1);
            Known[key] = published;
            Ages.Enqueue((key, published.AtMs));
        }
    }

    public IReadOnlyDictionary<TopicName, NotificationTopic> Topics => _topics;

    public IReadOnlyDictionary<Guid, NotificationSubscription> Subscriptions => _subscriptions;

    public IReadOnlyDictionary<string, byte[]> Settings => _settings;

    /// <summary>The number of a topic's next message.</summary>
    public long NextSequence(TopicName topic) => _ordered.TryGetValue(topic, out var ordered) ? ordered.NextSequence : 0;

    /// <summary>The first copy of a message, if it was published within the window.</summary>
    public PublishedOnce? FindFirst(TopicName topic, string key, long now) =>
        _ordered.TryGetValue(topic, out var ordered) && ordered.Known.TryGetValue(key, out var first) && first.AtMs > now - Notifications.DeduplicationWindowMs ? first : null;

    public static ReadOnlySpan<byte> Put(NotificationTopic topic)
    {
        var buffer = Begin(Kind.PutTopic, out var writer);
        topic.Write(writer);
        return buffer.WrittenSpan;
    }

    public static ReadOnlySpan<byte> Remove(TopicName topic)
    {
        var buffer = Begin(Kind.RemoveTopic, out var writer);
        Route.WriteName(writer, topic);
        return buffer.WrittenSpan;
    }

    public static ReadOnlySpan<byte> Put(NotificationSubscription subscription)
    {
        var buffer = Begin(Kind.PutSubscription, out var writer);
        subscription.Write(writer);
        return buffer.WrittenSpan;
    }

    public static ReadOnlySpan<byte> Remove(Guid subscription)
    {
        var buffer = Begin(Kind.RemoveSubscription, out var writer);
        writer.Guid(subscription);
        return buffer.WrittenSpan;
    }

    public static ReadOnlySpan<byte> Put(string name, ReadOnlySpan<byte> value)
    {
        var buffer = Begin(Kind.PutSetting, out var writer);
        writer.Text(name);
        writer.Bytes(value);
        return buffer.WrittenSpan;
    }

    public static ReadOnlySpan<byte> RemoveSetting(string name)
    {
        var buffer = Begin(Kind.RemoveSetting, out var writer);
        writer.Text(name);
        return buffer.WrittenSpan;
    }

    public static ReadOnlySpan<byte> Publish(TopicName topic, string key, in PublishedOnce published)
    {
        var buffer = Begin(Kind.Publish, out var writer);
        Route.WriteName(writer, topic);
        Write(writer, key, published);
        return buffer.WrittenSpan;
    }

    public void Apply(ReadOnlySpan<byte> evt)
    {
        var reader = new SnapshotReader(evt);
        reader.Version(Version, "notification event");
        switch ((Kind)reader.Byte())
        {
            case Kind.PutTopic:
                var topic = NotificationTopic.Read(ref reader);
                _topics[topic.Name] = topic;
                break;
            case Kind.RemoveTopic:
                var name = Route.ReadName(ref reader);
                Invariant.Check(_topics.Remove(name), "only what is there is removed");
                _ordered.Remove(name);
                break;
            case Kind.PutSubscription:
                var subscription = NotificationSubscription.Read(ref reader);
                _subscriptions[subscription.Id] = subscription;
                break;
            case Kind.RemoveSubscription:
                Invariant.Check(_subscriptions.Remove(reader.Guid()), "only what is there is removed");
                break;
            case Kind.PutSetting:
                _settings[reader.Text()] = reader.Bytes().ToArray();
                break;
            case Kind.RemoveSetting:
                Invariant.Check(_settings.Remove(reader.Text()), "only what is there is removed");
                break;
            case Kind.Publish:
                var of = Route.ReadName(ref reader);
                ReadPublished(ref reader, of);
                break;
            case var other:
                throw new CorruptDataException($"A notification event of kind {(byte)other} is unknown.");
        }
        reader.End("notification event");
    }

    public void WriteSnapshot(IBufferWriter<byte> target)
    {
        var writer = new SnapshotWriter(target);
        writer.Byte(Version);
        writer.Int32(_topics.Count);
        foreach (var topic in _topics.Values) topic.Write(writer);
        writer.Int32(_subscriptions.Count);
        foreach (var subscription in _subscriptions.Values) subscription.Write(writer);
        writer.Int32(_settings.Count);
        foreach (var (name, value) in _settings)
        {
            writer.Text(name);
            writer.Bytes(value);
        }
        writer.Int32(_ordered.Count);
        foreach (var (name, ordered) in _ordered)
        {
            Route.WriteName(writer, name);
            writer.Int64(ordered.NextSequence);
            var kept = ordered.Ages.Where(a => ordered.Known.TryGetValue(a.Key, out var known) && known.AtMs == a.AtMs).ToList();
            writer.Int32(kept.Count);
            foreach (var (key, _) in kept) Write(writer, key, ordered.Known[key]);
        }
    }

    public void ReadSnapshot(ReadOnlySpan<byte> source)
    {
        var reader = new SnapshotReader(source);
        reader.Version(Version, "notifications");
        _topics.Clear();
        _subscriptions.Clear();
        _settings.Clear();
        _ordered.Clear();
        for (var n = reader.Count(); n > 0; n--)
        {
            var topic = NotificationTopic.Read(ref reader);
            _topics.Add(topic.Name, topic);
        }
        for (var n = reader.Count(); n > 0; n--)
        {
            var subscription = NotificationSubscription.Read(ref reader);
            _subscriptions.Add(subscription.Id, subscription);
        }
        for (var n = reader.Count(); n > 0; n--) _settings.Add(reader.Text(), reader.Bytes().ToArray());
        for (var n = reader.Count(); n > 0; n--)
        {
            var name = Route.ReadName(ref reader);
            _ordered.Add(name, new Ordered { NextSequence = reader.Int64() });
            for (var k = reader.Count(); k > 0; k--) ReadPublished(ref reader, name);
        }
        reader.End("notifications");
    }

    private static void Write(in SnapshotWriter writer, string key, in PublishedOnce published)
    {
        writer.Text(key);
        writer.Guid(published.Id);
        writer.Int64(published.Sequence);
        writer.Int64(published.AtMs);
    }

    private void ReadPublished(ref SnapshotReader reader, TopicName topic)
    {
        var key = reader.Text();
        var published = new PublishedOnce(reader.Guid(), reader.Int64(), reader.Int64());
        if (!_ordered.TryGetValue(topic, out var ordered)) _ordered[topic] = ordered = new Ordered();
        ordered.Add(key, published);
    }

    private static ArrayBufferWriter<byte> Begin(Kind kind, out SnapshotWriter writer)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        writer = new SnapshotWriter(buffer);
        writer.Byte(Version);
        writer.Byte((byte)kind);
        return buffer;
    }
}
