using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;
using Dragoman.Admin.Statistics;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Statistics;
using Dragoman.Broker.Topics;
using Dragoman.Protocols.Connections;

namespace Dragoman.Admin.RabbitMq.Statistics;

/// <summary>
/// Adds to the objects that one request shows what is counted of them, with rates, and with samples where the request
/// asks for those.
/// </summary>
internal sealed class StatisticsWriter
{
    private static readonly (string Name, MessageCounter Counter)[] Published =
    [
        ("confirm", MessageCounter.Confirm), ("drop_unroutable", MessageCounter.DropUnroutable), ("publish", MessageCounter.Publish), ("return_unroutable", MessageCounter.ReturnUnroutable),
    ];

    private static readonly (string Name, MessageCounter Counter)[] Consumed =
    [
        ("ack", MessageCounter.Ack), ("deliver", MessageCounter.Deliver), ("deliver_no_ack", MessageCounter.DeliverNoAck), ("get", MessageCounter.Get), ("get_empty", MessageCounter.GetEmpty),
        ("get_no_ack", MessageCounter.GetNoAck), ("redeliver", MessageCounter.Redeliver),
    ];

    private static readonly (string Name, MessageCounter Counter)[] OfQueues = [("publish", MessageCounter.Publish), .. Consumed];

    private static readonly (string Name, MessageCounter Counter)[] Through = [("publish_in", MessageCounter.PublishIn), ("publish_out", MessageCounter.PublishOut)];

    private static readonly MessageCounter[] Delivered = [MessageCounter.Deliver, MessageCounter.DeliverNoAck, MessageCounter.Get, MessageCounter.GetNoAck];

    private readonly AdminNode _node;
    private readonly Sampler _sampler;
    private readonly SampleQuery? _lengths;
    private readonly SampleQuery? _messages;
    private readonly SampleQuery? _data;
    private readonly SampleQuery? _resources;
    private readonly bool _isOff;

    private StatisticsWriter(ApiRequest request)
    {
        _node = request.Node;
        _sampler = request.Node.Sampler;
        _lengths = SampleQuery.Of(request, SampleQuery.Lengths);
        _messages = SampleQuery.Of(request, SampleQuery.MessageRates);
        _data = SampleQuery.Of(request, SampleQuery.DataRates);
        _resources = SampleQuery.Of(request, SampleQuery.NodeStatistics);
        _isOff = request.Flag("disable_stats");
        if (!_isOff) _sampler.Touch();
    }

    /// <summary>The writer for a request's answer.</summary>
    /// <exception cref="ManagementException">The request asks for samples in a way that makes no sense.</exception>
    public static StatisticsWriter Of(ApiRequest request) => new(request);

    /// <summary>Whether anybody wants samples of what is shown.</summary>
    private bool WantsSamples => _lengths is not null || _messages is not null || _data is not null || _resources is not null;

    /// <summary>Adds a queue's lengths and <c>message_stats</c>. With <c>disable_stats</c> it adds what <c>enable_queue_totals</c> asks for.</summary>
    /// <param name="target">The object that shows the queue.</param>
    /// <param name="queue">The queue.</param>
    /// <param name="totals">Whether lengths are wanted where statistics are off.</param>
    public void Add(JsonObject target, IQueueHandle queue, bool totals = false)
    {
        Span<long> values = stackalloc long[Figures.OfQueue];
        if (_isOff && !totals) return;
        NodeFigures.Read(queue, values);
        if (_isOff)
        {
            target["messages"] = values[Figures.Messages];
            target["messages_ready"] = values[Figures.Ready];
            target["messages_unacknowledged"] = values[Figures.Unacknowledged];
            return;
        }
        var series = Find(queue);
        AddLengths(target, values, series);
        var statistics = new JsonObject();
        if (values[(int)MessageCounter.Publish] > 0) Put(statistics, "publish", values, (int)MessageCounter.Publish, series, _messages);
        if (Any(values, Consumed)) AddConsumed(statistics, values, series);
        if (statistics.Count > 0) target["message_stats"] = statistics;
    }

    /// <summary>A number that <see cref="Add(JsonObject, IQueueHandle, bool)"/> would show of a queue: for lists that are sorted by it.</summary>
    /// <returns>Null if the column is none of these.</returns>
    public double? NumberOf(IQueueHandle queue, string column)
    {
        if (_isOff) return null;
        const string Statistics = "message_stats.";
        const string Rate = "_details.rate";
        switch (column)
        {
            case "messages":
                var counts = NodeFigures.CountsOf(queue);
                return counts.Ready + counts.Unacknowledged;
            case "messages_ready":
                return NodeFigures.CountsOf(queue).Ready;
            case "messages_unacknowledged":
                return NodeFigures.CountsOf(queue).Unacknowledged;
            case "consumers":
                return NodeFigures.CountsOf(queue).Consumers;
        }
        if (!column.StartsWith(Statistics, StringComparison.Ordinal)) return null;
        var name = column[Statistics.Length..];
        var isRate = name.EndsWith(Rate, StringComparison.Ordinal);
        if (isRate) name = name[..^Rate.Length];
        var window = isRate ? _sampler.Of(queue)?.Window : null;
        if (name == "deliver_get") return isRate ? Delivered.Sum(c => window?.Rate((int)c) ?? 0) : queue.Counters.DeliverGet;
        foreach (var (known, counter) in OfQueues)
            if (known == name) return isRate ? window?.Rate((int)counter) ?? 0 : queue.Counters[counter];
        return null;
    }

    /// <summary>Adds a topic's <c>message_stats</c>.</summary>
    public void Add(JsonObject target, TopicName topic)
    {
        if (_isOff || _node.Broker.Statistics.Find(topic) is not { } counters) return;
        Span<long> values = stackalloc long[MessageCounters.Count];
        counters.AddTo(values);
        if (!Any(values, Through)) return;
        var statistics = new JsonObject();
        Put(statistics, Through, values, Find(counters), _messages);
        target["message_stats"] = statistics;
    }

    /// <summary>Adds a namespace's lengths, traffic and <c>message_stats</c>.</summary>
    public void Add(JsonObject target, NamespaceName space)
    {
        if (_isOff) return;
        Span<long> values = stackalloc long[Figures.OfNamespace];
        _node.Figures.Read(space, values);
        var series = _sampler.Of(space);
        AddLengths(target, values, series);
        Put(target, "recv_oct", values, Figures.Received, series, _data);
        Put(target, "send_oct", values, Figures.Sent, series, _data);
        if (MessageStatistics(values, series) is { Count: > 0 } statistics) target["message_stats"] = statistics;
    }

    /// <summary>Adds what went over a connection.</summary>
    public void Add(JsonObject target, LiveConnection connection)
    {
        Span<long> values = [connection.ReceivedBytes, connection.SentBytes];
        var series = _isOff ? null : Find(connection);
        Put(target, "recv_oct", values, Figures.ConnectionReceived, series, _data);
        Put(target, "send_oct", values, Figures.ConnectionSent, series, _data);
        target["recv_cnt"] = connection.ReceivedPackets;
        target["send_cnt"] = connection.SentPackets;
    }

    /// <summary>Adds a channel's <c>message_stats</c>.</summary>
    public void Add(JsonObject target, LiveChannel channel)
    {
        if (_isOff) return;
        Span<long> values = stackalloc long[MessageCounters.Count];
        channel.Counters.AddTo(values);
        if (MessageStatistics(values, Find(channel.Counters)) is { Count: > 0 } statistics) target["message_stats"] = statistics;
    }

    /// <summary>Adds the node's totals: <c>message_stats</c>, <c>churn_rates</c> and <c>queue_totals</c>.</summary>
    public void AddTotals(JsonObject target, ReadOnlySpan<long> values)
    {
        var series = _sampler.OfNode;
        var statistics = MessageStatistics(values, series);
        Put(statistics, "disk_writes", values, Figures.JournalWrites, series, _messages);
        target["message_stats"] = statistics;
        target["churn_rates"] = Churn(values, series);
        var lengths = new JsonObject();
        AddLengths(lengths, values, series);
        target["queue_totals"] = lengths;
    }

    /// <summary>Adds what one namespace has, in the place of the node's totals: for those who see no more.</summary>
    public void AddTotals(JsonObject target, IEnumerable<NamespaceName> spaces)
    {
        Span<long> values = stackalloc long[Figures.OfNamespace];
        Span<long> one = stackalloc long[Figures.OfNamespace];
        values.Clear();
        foreach (var space in spaces)
        {
            _node.Figures.Read(space, one);
            for (var i = 0; i < one.Length; i++) values[i] += one[i];
        }
        target["message_stats"] = MessageStatistics(values, null);
        var lengths = new JsonObject();
        AddLengths(lengths, values, null);
        target["queue_totals"] = lengths;
    }

    /// <summary>Adds the node's resources, as <c>/api/nodes</c> has them.</summary>
    public void AddResources(JsonObject target, ReadOnlySpan<long> values)
    {
        var series = _sampler.OfNode;
        foreach (var (name, index) in ((string, int)[])[
            ("mem_used", Figures.Memory), ("fd_used", Figures.OpenFiles), ("sockets_used", Figures.Sockets), ("proc_used", Figures.Threads), ("disk_free", Figures.DiskFree),
            ("gc_num", Figures.Collections), ("gc_bytes_reclaimed", Figures.AllocatedBytes), ("io_write_count", Figures.JournalWrites), ("io_write_bytes", Figures.JournalBytes),
            ("io_sync_count", Figures.JournalSyncs)])
            Put(target, name, values, index, series, _resources);
        foreach (var (name, value) in Churn(values, series).ToArray()) target[name] = value?.DeepClone();
    }

    private JsonObject Churn(ReadOnlySpan<long> values, Series? series)
    {
        var churn = new JsonObject();
        foreach (var (name, index) in ((string, int)[])[
            ("channel_closed", Figures.ChannelsClosed), ("channel_created", Figures.ChannelsOpened), ("connection_closed", Figures.ConnectionsClosed), ("connection_created", Figures.ConnectionsOpened),
            ("queue_created", Figures.QueuesCreated), ("queue_declared", Figures.QueuesDeclared), ("queue_deleted", Figures.QueuesDeleted)])
            Put(churn, name, values, index, series, _messages);
        return churn;
    }

    private JsonObject MessageStatistics(ReadOnlySpan<long> values, Series? series)
    {
        var statistics = new JsonObject();
        if (Any(values, Published)) Put(statistics, Published, values, series, _messages);
        if (Any(values, Consumed)) AddConsumed(statistics, values, series);
        return statistics;
    }

    private void AddLengths(JsonObject target, ReadOnlySpan<long> values, Series? series)
    {
        Put(target, "messages", values, Figures.Messages, series, _lengths);
        Put(target, "messages_ready", values, Figures.Ready, series, _lengths);
        Put(target, "messages_unacknowledged", values, Figures.Unacknowledged, series, _lengths);
    }

    private void AddConsumed(JsonObject statistics, ReadOnlySpan<long> values, Series? series)
    {
        Put(statistics, Consumed, values, series, _messages);
        long total = 0;
        var rate = 0.0;
        var window = series?.Window;
        foreach (var counter in Delivered)
        {
            total += values[(int)counter];
            rate += window?.Rate((int)counter) ?? 0;
        }
        statistics["deliver_get"] = total;
        var details = new JsonObject { ["rate"] = rate };
        if (_messages is { } query) AddSamples(details, Array.ConvertAll(Delivered, static c => (int)c), series, query);
        statistics["deliver_get_details"] = details;
    }

    private void Put(JsonObject target, (string Name, MessageCounter Counter)[] counters, ReadOnlySpan<long> values, Series? series, SampleQuery? query)
    {
        foreach (var (name, counter) in counters) Put(target, name, values, (int)counter, series, query);
    }

    private void Put(JsonObject target, string name, ReadOnlySpan<long> values, int index, Series? series, SampleQuery? query)
    {
        target[name] = values[index];
        var details = new JsonObject { ["rate"] = series?.Window?.Rate(index) ?? 0 };
        if (query is { } samples) AddSamples(details, [index], series, samples);
        target[$"{name}_details"] = details;
    }

    private void AddSamples(JsonObject details, int[] indexes, Series? series, SampleQuery query)
    {
        if (series?.History is not { } history) return;
        var set = history.Sample(indexes, query.AgeSeconds, query.StepSeconds, _node.Broker.Time.GetUtcNow().ToUnixTimeMilliseconds());
        var samples = new JsonArray();
        foreach (var (timestamp, value) in set.Points) samples.Add(new JsonObject { ["sample"] = value, ["timestamp"] = timestamp });
        details["samples"] = samples;
        details["avg_rate"] = set.AverageRate;
        details["avg"] = set.Average;
    }

    /// <summary>What is remembered of a thing; where samples are wanted, more from now on.</summary>
    private Series? Find(object key) => WantsSamples ? _sampler.Watch(key) : _sampler.Of(key);

    private static bool Any(ReadOnlySpan<long> values, (string Name, MessageCounter Counter)[] counters)
    {
        foreach (var (_, counter) in counters)
            if (values[(int)counter] != 0) return true;
        return false;
    }
}
