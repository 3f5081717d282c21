using System.Globalization;
using System.Text.Unicode;
using Dragoman.Admin.Http;
using Dragoman.Admin.Model;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage.Records;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.Resources;

/// <summary>The messages of a queue: look, publish, receive and settle.</summary>
internal sealed class QueueMessagesResource(AdminNode node, QueuesResource queues)
{
    private const int MaxMessages = 1000;
    private const int MaxBodyBytes = 16 << 20;
    private const double MaxWaitSeconds = 60;
    private const double MaxLeaseSeconds = 12 * 3600;

    /// <summary><c>messages</c>: look, which takes nothing, and publish.</summary>
    public Task HandleAsync(HttpContext context, string name)
    {
        var method = context.Request.Method;
        if (HttpMethods.IsGet(method) || HttpMethods.IsHead(method)) return PeekAsync(context, name);
        if (HttpMethods.IsPost(method)) return PublishAsync(context, name);
        throw RequestPath.NotAllowed(context, "GET, HEAD, POST");
    }

    private async Task PeekAsync(HttpContext context, string name)
    {
        var queue = queues.Find(context, name);
        var limit = (int)Query.Number(context, "limit", 10, 1, MaxMessages);
        var from = Query.Number(context, "from", 0, 0, long.MaxValue);
        // One more tells whether there are more.
        var answer = await queue.PeekAsync(from, limit + 1);
        QueuesResource.Succeeded(answer.Status, queue.Name, null);
        using var found = answer.Deliveries;
        var messages = new List<QueueMessage>();
        for (var i = 0; i < Math.Min(limit, found?.Count ?? 0); i++) messages.Add(ToModel(found!, i));
        await Json.WriteAsync(context, new QueueMessageList(messages, found?.Count > limit ? found[limit].Offset : null), AdminJson.Default.QueueMessageList);
    }

    private async Task PublishAsync(HttpContext context, string name)
    {
        var queue = queues.Find(context, name);
        var request = await Json.ReadAsync(context, AdminJson.Default.PublishRequest, MaxBodyBytes);
        var prepared = request.Messages.Select(Prepare).ToList();
        long published = 0, duplicates = 0;
        using var headers = new RecordHeadersWriter();
        for (var next = 0; next < prepared.Count;)
        {
            var batch = MessageBatch.Rent();
            do
            {
                var (message, properties, key, value) = prepared[next++];
                headers.Clear();
                foreach (var header in message.Headers ?? []) headers.Add(header.Name, Bytes(header.Value, header.ValueBase64, $"header '{header.Name}'"));
                batch.Add(properties, key, value, headers.Headers);
            }
            while (next < prepared.Count && batch.Bytes + prepared[next].Value.Length < MessageBatch.MaxBytes);
            var outcome = await queue.PublishAsync(batch, cancellation: context.RequestAborted);
            published += outcome.Accepted;
            duplicates += outcome.Duplicates?.Count ?? 0;
            if (outcome.Status == QueueStatus.Ok) continue;
            try
            {
                QueuesResource.Succeeded(outcome.Status, queue.Name, outcome.Message);
            }
            catch (ProblemException problem)
            {
                throw new ProblemException(problem.Status, problem.Title, problem.Message) { Extra = new Dictionary<string, long> { ["published"] = published } };
            }
        }
        await Json.WriteAsync(context, new PublishResult(published, duplicates), AdminJson.Default.PublishResult);
    }

    private (QueueMessage Message, MessageProperties Properties, byte[]? Key, byte[] Value) Prepare(QueueMessage message)
    {
        if (message is { Offset: not null } or { Timestamp: not null } or { Deliveries: not null } or { Lease: not null } or { Deaths: not null })
            throw ProblemException.BadRequest("A message to be published has no offset, timestamp, deliveries, lease or deaths; the broker sees to those.");
        if (message.Priority is < 0 or > byte.MaxValue) throw ProblemException.BadRequest($"priority is {message.Priority}; it should be from 0 to 255.");
        if (message.DelayMs < 0) throw ProblemException.BadRequest($"delayMs is {message.DelayMs}; it should be at least 0.");
        if (message.LifetimeMs < 0) throw ProblemException.BadRequest($"lifetimeMs is {message.LifetimeMs}; it should be at least 0.");
        foreach (var header in message.Headers ?? []) Bytes(header.Value, header.ValueBase64, $"header '{header.Name}'");
        var now = node.Broker.Time.GetUtcNow().ToUnixTimeMilliseconds();
        var properties = new MessageProperties
        {
            Timestamp = now,
            Priority = (short)(message.Priority ?? -1),
            DeliverAt = message.DelayMs is { } delay ? now + delay : -1,
            ExpiresAt = message.LifetimeMs is { } lifetime ? now + lifetime : -1,
            DeduplicationId = message.DeduplicationId,
        };
        return (message, properties, Bytes(message.Key, message.KeyBase64, "key"), Bytes(message.Value, message.ValueBase64, "value") ?? []);
    }

    /// <summary>Takes messages under a lease.</summary>
    public async Task ReceiveAsync(HttpContext context, string name)
    {
        RequestPath.RequireMethod(context, HttpMethods.Post);
        var queue = queues.Find(context, name);
        var request = context.Request.ContentLength is null or 0 ? new ReceiveRequest() : await Json.ReadAsync(context, AdminJson.Default.ReceiveRequest);
        if (request.Max is < 1 or > MaxMessages) throw ProblemException.BadRequest($"max is {request.Max}; it should be from 1 to {MaxMessages}.");
        if (request.WaitSeconds is not (>= 0 and <= MaxWaitSeconds)) throw ProblemException.BadRequest($"waitSeconds is {request.WaitSeconds}; it should be from 0 to {MaxWaitSeconds}.");
        if (request.LeaseSeconds is not (null or (>= 0 and <= MaxLeaseSeconds))) throw ProblemException.BadRequest($"leaseSeconds is {request.LeaseSeconds}; it should be from 0 to {MaxLeaseSeconds}.");
        if (queue.Settings.Retention is not null) throw ProblemException.BadRequest($"Queue '{queue.Name}' is a stream: it keeps its messages whoever reads them. Look at them with GET messages, or read them with an AMQP consumer.");
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, node.Stopping);
        var answer = await queue.ReceiveAsync(request.Max, request.LeaseSeconds is { } lease ? TimeSpan.FromSeconds(lease) : null, TimeSpan.FromSeconds(request.WaitSeconds), ends.Token);
        QueuesResource.Succeeded(answer.Status, queue.Name, null);
        using var found = answer.Deliveries;
        var messages = new List<QueueMessage>();
        for (var i = 0; i < (found?.Count ?? 0); i++) messages.Add(ToModel(found!, i) with { Lease = string.Create(CultureInfo.InvariantCulture, $"{found![i].Offset}-{found[i].Lease}") });
        await Json.WriteAsync(context, new QueueMessageList(messages), AdminJson.Default.QueueMessageList);
    }

    /// <summary>Settles messages that were received.</summary>
    public async Task SettleAsync(HttpContext context, string name)
    {
        RequestPath.RequireMethod(context, HttpMethods.Post);
        var queue = queues.Find(context, name);
        var request = await Json.ReadAsync(context, AdminJson.Default.SettleRequest);
        if (request.DelaySeconds is not (null or (>= 0 and <= MaxLeaseSeconds))) throw ProblemException.BadRequest($"delaySeconds is {request.DelaySeconds}; it should be from 0 to {MaxLeaseSeconds}.");
        var settlement = Text.Parse<Settlement>(request.Action, "action");
        var tokens = request.Leases.Select(ParseLease).ToArray();
        var answer = await queue.SettleAsync(settlement, tokens, request.DelaySeconds is { } delay ? TimeSpan.FromSeconds(delay) : null);
        QueuesResource.Succeeded(answer.Status, queue.Name, answer.Message);
        await Json.WriteAsync(context, new SettleResult(answer.Count), AdminJson.Default.SettleResult);
    }

    private static LeaseToken ParseLease(string text)
    {
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        return dash > 0 && long.TryParse(text.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture, out var offset)
            && long.TryParse(text.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var lease)
            ? new LeaseToken(offset, lease)
            : throw ProblemException.BadRequest($"'{text}' is not the lease of a message that was received.");
    }

    private static QueueMessage ToModel(DeliveryBatch deliveries, int index)
    {
        ref readonly var delivery = ref deliveries[index];
        var message = deliveries.Message(index);
        var (key, keyBytes) = Split(message.Key);
        var (value, valueBytes) = Split(message.Value);
        List<HeaderModel>? headers = null;
        List<DeathModel>? deaths = null;
        foreach (var header in message.Headers)
        {
            if (header.Key.SequenceEqual(CanonicalHeaders.Deaths) && DeathHistory.Decode(header.Value.Span) is { Count: > 0 } history)
            {
                deaths = [.. history.Select(d => new DeathModel(d.Queue, Text.Camel(d.Reason), d.Count, DateTimeOffset.FromUnixTimeMilliseconds(d.FirstTime)))];
                continue;
            }
            var (text, bytes) = Split(header.Value);
            (headers ??= []).Add(new HeaderModel(header.KeyText, text, bytes));
        }
        return new QueueMessage
        {
            Offset = delivery.Offset,
            Timestamp = delivery.Timestamp,
            Deliveries = delivery.Count,
            Key = key,
            KeyBase64 = keyBytes,
            Value = value,
            ValueBase64 = valueBytes,
            Headers = headers,
            Deaths = deaths,
        };
    }

    private static (string? Text, byte[]? Bytes) Split(NullableBytes bytes)
    {
        if (bytes.IsNull) return (null, null);
        return Utf8.IsValid(bytes.Span) ? (System.Text.Encoding.UTF8.GetString(bytes.Span), null) : (null, bytes.Span.ToArray());
    }

    private static byte[]? Bytes(string? text, byte[]? bytes, string what)
    {
        if (text is null) return bytes;
        return bytes is null ? System.Text.Encoding.UTF8.GetBytes(text) : throw ProblemException.BadRequest($"The {what} is given both as text and as bytes.");
    }
}
