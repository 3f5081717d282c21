using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Routing.Rules;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Channels;

/// <summary>The channels of this node.</summary>
[SuppressMessage("Naming", "CA1724", Justification = "The folder and the field's term are the same word.")]
internal sealed class Channels : IChannels
{
    private static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    private readonly ConcurrentDictionary<NamespaceName, ChannelSpace> _spaces = new();
    private readonly IRouting _routing;
    private readonly IQueues _queues;
    private readonly Topics.Topics _topics;
    private readonly TimeProvider _time;
    private readonly ChannelTails _tails;
    private readonly Lock _lock = new();
    private volatile IChannelObserver[] _observers = [];

    public Channels(Topics.Topics topics, IRouting routing, IQueues queues, TimeProvider time, IScheduler scheduler)
    {
        _topics = topics;
        _routing = routing;
        _queues = queues;
        _time = time;
        _tails = new ChannelTails(topics, In, scheduler, time, OnStalled);
        topics.AddObserver(_tails);
    }

    public long Version => _routing.Version;

    public ChannelSpace In(NamespaceName ns) => _spaces.GetOrAdd(ns, static (name, channels) => channels.CreateSpace(name), this);

    public ChannelTarget Resolve(NamespaceName ns, ReadOnlySpan<byte> channel)
    {
        // Read first: what changes meanwhile makes the answer old.
        var version = Version;
        var space = In(ns);
        if (NameOf(ns, channel) is not { } name) return new ChannelTarget(space, channel.ToArray(), null, version);
        var route = new RouteResult();
        // A channel has no routing key: an exchange that routes by one sees an empty key.
        var isThere = _routing.Resolve(name, "", default, route);
        return new ChannelTarget(space, channel.ToArray(), isThere ? route : null, version);
    }

    public ValueTask<ChannelAnswer> PublishAsync(ChannelTarget target, ReadOnlySpan<byte> payload)
    {
        ArgumentNullException.ThrowIfNull(target);
        var now = _time.GetUtcNow().ToUnixTimeMilliseconds();
        var publishes = new List<Task<string?>>();
        using (var headers = new RecordHeadersWriter())
        {
            headers.Add(CanonicalHeaders.Topic, target.Channel.Span);
            foreach (var log in target.Logs) publishes.Add(AppendAsync(log, IsOf(target, log), now, payload, headers.Headers));
            if (target.Queues.Length > 0 || target.Routes.Length > 0) publishes.Add(PublishAsync(target.Queues, target.Routes, now, payload, headers.Headers));
        }
        var heard = 0;
        var isKept = Array.Exists(target.Logs, log => IsOf(target, log));
        if (isKept) heard = target.Space.CountAll(target.Channel.Span);
        foreach (var name in target.Channels) heard += In(name.Namespace).Publish(Encoding.UTF8.GetBytes(name.Name), payload);
        return WaitAsync(publishes, heard);
    }

    public void AddObserver(IChannelObserver observer)
    {
        ArgumentNullException.ThrowIfNull(observer);
        lock (_lock) _observers = [.. _observers, observer];
    }

    private void OnStalled(TopicName topic, int partition, Exception reason)
    {
        foreach (var observer in _observers) observer.OnStalled(topic, partition, reason);
    }

    /// <summary>The topic's name that a channel's name is; null if no topic may be called so.</summary>
    private static TopicName? NameOf(NamespaceName ns, ReadOnlySpan<byte> channel)
    {
        if (channel.Length > TopicName.MaxLength) return null;
        try
        {
            var name = Strict.GetString(channel);
            return TopicName.IsValid(name) ? new TopicName(ns, name) : null;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static async ValueTask<ChannelAnswer> WaitAsync(List<Task<string?>> publishes, int heard)
    {
        string? problem = null;
        foreach (var publish in publishes) problem = await publish ?? problem;
        return new ChannelAnswer(heard, problem);
    }

    /// <summary>Whether a log is the channel's own, and not one behind a route.</summary>
    private static bool IsOf(ChannelTarget target, ITopicHandle log) => NameOf(log.Name.Namespace, target.Channel.Span) == log.Name;

    private static Task<string?> AppendAsync(ITopicHandle log, bool isOwn, long now, ReadOnlySpan<byte> payload, RecordHeaders headers)
    {
        // Without a key there is nothing to spread messages by, and one partition keeps them in order.
        var batch = new RecordBatchBuilder();
        batch.Add(now, default, payload, headers);
        return AppendAsync(log, isOwn, batch);
    }

    private static async Task<string?> AppendAsync(ITopicHandle log, bool isOwn, RecordBatchBuilder batch)
    {
        using (batch)
        {
            var answer = await log.Partitions[0].AppendAsync(batch.Build(new BatchOptions()));
            return answer.Status switch
            {
                PartitionStatus.Ok => null,
                // The message was to be kept, and is not: the publisher has to know. Behind a route it is as if the route had ended before.
                PartitionStatus.NotFound => isOwn ? $"topic '{log.Name.Name}' has just been deleted: the message was not kept" : null,
                _ => answer.Message ?? answer.Status.ToString(),
            };
        }
    }

    private Task<string?> PublishAsync(IQueueHandle[] queues, RuledRoute[] routes, long now, ReadOnlySpan<byte> payload, RecordHeaders headers)
    {
        var batch = MessageBatch.Rent();
        batch.Add(new MessageProperties { Timestamp = now }, default, payload, headers);
        return PublishAsync(queues, routes, batch);
    }

    private async Task<string?> PublishAsync(IQueueHandle[] queues, RuledRoute[] routes, MessageBatch batch)
    {
        var outcome = await _queues.PublishAsync(batch, queues, routes);
        return outcome.Status is QueueStatus.Ok or QueueStatus.NotFound or QueueStatus.QueueFull ? null : outcome.Message ?? outcome.Status.ToString();
    }

    private ChannelSpace CreateSpace(NamespaceName name)
    {
        var space = new ChannelSpace();
        space.Changed = (text, isPattern) =>
        {
            if (!isPattern)
            {
                if (NameOf(name, text.Span) is { } topic && _topics.Find(topic) is not null) _tails.Look(topic);
                return;
            }
            var glob = new Glob(text.Span);
            foreach (var topic in _topics.List())
                if (topic.Name.Namespace == name && glob.Matches(Encoding.UTF8.GetBytes(topic.Name.Name))) _tails.Look(topic.Name);
        };
        return space;
    }
}
