using System.Globalization;
using System.Text;
using Dragoman.Admin.Http;
using Dragoman.Admin.Records;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Records;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Dragoman.Admin.Resources;

/// <summary>
/// <c>GET /_dragoman/v1/topics/NAME/records</c>: the records of a topic, a line each, as a stream of any length.
/// Order holds within a partition.
/// </summary>
internal sealed class ConsumeResource(AdminNode node, TopicsResource topics)
{
    // Lines gather up to here before they are sent.
    private const int FlushBytes = 128 * 1024;

    public async Task HandleAsync(HttpContext context, string name)
    {
        var query = context.Request.Query;
        var topic = topics.Find(context, name);
        var from = ReadPosition.Parse(query["from"].ToString(), node.Broker.Time);
        var left = query.TryGetValue("limit", out var limit) ? ParseLimit(limit.ToString()) : long.MaxValue;
        var follow = ParseFlag(query["follow"].ToString());
        var format = ParseFormat(query["format"].ToString(), query["keySeparator"].ToString());
        var partitions = Partitions(topic, query["partition"].ToString());
        if (from.IsOffset && partitions.Count > 1)
            throw ProblemException.BadRequest($"Topic '{topic.Name}' has {partitions.Count} partitions, each with offsets of its own: say which partition as well.");
        var signal = new ChangeSignal();
        var cursors = new List<PartitionCursor>();
        // A consumer that reads slowly holds back itself alone.
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate) rate.MinDataRate = null;
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, node.Stopping);
        try
        {
            foreach (var partition in partitions)
            {
                if (!partition.TryGetOffsets(out var offsets)) throw ProblemException.NotFound($"Topic '{topic.Name}' has been deleted.");
                var start = await from.ResolveAsync(partition, offsets);
                cursors.Add(new PartitionCursor(partition, start, follow ? long.MaxValue : offsets.LastStable));
                if (follow) partition.AddListener(signal);
            }
            context.Response.ContentType = format.MediaType;
            if (HttpMethods.IsHead(context.Request.Method)) return;
            await StreamAsync(context.Response, cursors, format, left, follow ? signal : null, ends.Token);
        }
        catch (OperationCanceledException) when (node.Stopping.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
        {
            // All lines sent are whole; the stream ends with the node.
        }
        finally
        {
            foreach (var cursor in cursors)
            {
                cursor.Partition.RemoveListener(signal);
                cursor.Dispose();
            }
            (format as IDisposable)?.Dispose();
        }
    }

    private static async Task StreamAsync(HttpResponse response, List<PartitionCursor> cursors, RecordFormat format, long left, ChangeSignal? signal, CancellationToken cancellation)
    {
        var body = response.BodyWriter;
        bool Visit(int partition, in RecordView record)
        {
            format.Write(body, partition, record);
            return --left > 0;
        }
        while (left > 0)
        {
            var found = false;
            foreach (var cursor in cursors)
            {
                found |= await cursor.ReadAsync(Visit);
                if (left <= 0) break;
                if (body.UnflushedBytes > FlushBytes) await body.FlushAsync(cancellation);
            }
            if (found) continue;
            if (signal is null || cursors.TrueForAll(static c => c.IsDone)) break;
            await body.FlushAsync(cancellation);
            await signal.WaitAsync(cancellation);
        }
        await body.FlushAsync(cancellation);
    }

    private static IReadOnlyList<IPartitionHandle> Partitions(ITopicHandle topic, string text)
    {
        if (text is "" or "all") return topic.Partitions;
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < topic.Partitions.Count) return [topic.Partitions[index]];
        throw ProblemException.BadRequest($"Topic '{topic.Name}' has no partition '{text}'; it has {topic.Partitions.Count}, counted from 0.");
    }

    private static long ParseLimit(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : throw ProblemException.BadRequest($"limit is '{text}'; it should be a number of records.");

    private static bool ParseFlag(string text) => text switch
    {
        "" or "false" => false,
        "true" => true,
        _ => throw ProblemException.BadRequest($"follow is '{text}'; it should be true or false."),
    };

    private static RecordFormat ParseFormat(string text, string separator) => text switch
    {
        "" or "json" => new RecordFormat.JsonLines(),
        "value" => new RecordFormat.Values(),
        "key-value" => new RecordFormat.KeysAndValues(Encoding.UTF8.GetBytes(separator.Length == 0 ? "\t" : separator)),
        _ => throw ProblemException.BadRequest($"format is '{text}'; it should be json, value or key-value."),
    };
}
