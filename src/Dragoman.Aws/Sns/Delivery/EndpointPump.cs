using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using Dragoman.Aws.Sns.Messages;
using Dragoman.Aws.Sqs.Messages;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Notifications;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage.Records;
using Microsoft.Extensions.Logging;

namespace Dragoman.Aws.Sns.Delivery;

/// <summary>
/// Delivers what the queue of one subscription holds: so many at once, each settled when its endpoint has it, put back for a
/// time when it has not, and sent to the dead letters when that was often enough. A message that was delivered when the broker
/// crashed is delivered again.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "Deliveries that are under way may outlive the loop, and use both.")]
internal sealed class EndpointPump(AwsNode node, HttpClient http, Guid id, CancellationToken stopping)
{
    private const int MaxAtOnce = 8;
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _places = new(MaxAtOnce, MaxAtOnce);
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
    private CancellationToken _stopped;
    private int _isRunning;

    /// <summary>A message that was taken out of the queue.</summary>
    private sealed record Taken(LeaseToken Lease, int Count, Guid Id, byte[]? Key, byte[] Body, List<MessageAttribute> Attributes, string? PassedTopics);

    /// <summary>Begins, if it has not.</summary>
    public void Start()
    {
        if (Interlocked.Exchange(ref _isRunning, 1) != 0) return;
        _stopped = _stop.Token;
        _ = Task.Run(RunAsync, CancellationToken.None);
    }

    /// <summary>Ends it, once.</summary>
    public void Stop()
    {
        _stop.Cancel();
        // Else the node's own token would know of every subscription that there ever was.
        _stop.Dispose();
    }

    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong with one endpoint is said, and tried again.")]
    private async Task RunAsync()
    {
        while (!_stopped.IsCancellationRequested)
        {
            try
            {
                if (node.Broker.Queues.Find(EndpointQueues.NameOf(id)) is not { } queue)
                {
                    // Whoever makes it begins anew.
                    Volatile.Write(ref _isRunning, 0);
                    return;
                }
                var most = PolicyOf(out _, out _)?.MaxReceivesPerSecond;
                foreach (var message in await TakeAsync(queue))
                {
                    _ = DeliverAsync(queue, message);
                    if (most is { } rate) await Task.Delay(TimeSpan.FromSeconds(1.0 / rate), _stopped);
                }
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception error)
            {
                node.Log.LogError(error, "Delivery to subscription {Subscription} failed; it is tried again", id);
                await Task.Delay(Pause, CancellationToken.None);
            }
        }
    }

    /// <summary>Takes as many messages as there are places; each of them holds one until it is delivered.</summary>
    private async ValueTask<List<Taken>> TakeAsync(IQueueHandle queue)
    {
        // One place is enough to ask; those that are free beside it are asked for too.
        await _places.WaitAsync(_stopped);
        var places = 1;
        while (places < MaxAtOnce && _places.Wait(0, CancellationToken.None)) places++;
        var taken = new List<Taken>();
        try
        {
            var answer = await queue.ReceiveAsync(places, null, Wait, _stopped);
            using var deliveries = answer.Deliveries;
            for (var i = 0; i < (deliveries?.Count ?? 0); i++)
            {
                var view = deliveries!.Message(i);
                taken.Add(new Taken(
                    new LeaseToken(deliveries[i].Offset, deliveries[i].Lease), deliveries[i].Count,
                    view.Headers.TryGetLast(CanonicalHeaders.MessageId, out var text) && Guid.TryParse(Encoding.UTF8.GetString(text.Span), out var found) ? found : Guid.NewGuid(),
                    view.Key.IsNull ? null : view.Key.Span.ToArray(), view.Value.Span.ToArray(), NotificationAttributes.Read(view.Headers),
                    view.Headers.TryGetLast(CanonicalHeaders.PassedTopics, out var passed) ? Encoding.UTF8.GetString(passed.Span) : null));
            }
            places -= taken.Count;
            return taken;
        }
        finally
        {
            // If it failed, none of them is on its way.
            if (places > 0) _places.Release(places);
        }
    }

    /// <summary>The policy as it is now; null if the subscription is gone.</summary>
    private DeliveryPolicy? PolicyOf(out NotificationSubscription? subscription, out NotificationTopic? topic)
    {
        topic = null;
        subscription = node.Broker.Notifications.Find(id);
        if (subscription is null) return null;
        topic = node.Broker.Notifications.Find(subscription.Topic);
        return DeliveryPolicy.Read(topic?.Attributes.GetValueOrDefault(TopicAttributes.DeliveryPolicy), subscription.Attributes.GetValueOrDefault(SubscriptionAttributes.DeliveryPolicy));
    }

    [SuppressMessage("Design", "CA1031", Justification = "What cannot be settled comes back when its lease ends.")]
    private async Task DeliverAsync(IQueueHandle queue, Taken message)
    {
        try
        {
            if (PolicyOf(out var subscription, out var topic) is not { } policy || subscription is null || topic is null) return;
            var failure = subscription.Protocol == "dragoman"
                ? await TopicEndpoint.PublishAsync(node, subscription, message.Key, message.Body, message.Attributes, message.PassedTopics, _stopped)
                : await PostAsync(subscription, topic, policy, message);
            // It counts as tried only if the endpoint was asked.
            if (_stopped.IsCancellationRequested && failure is not null) return;
            if (failure is null)
            {
                await queue.SettleAsync(Settlement.Acknowledge, new[] { message.Lease });
                return;
            }
            if (!failure.IsFinal && policy.DelayAfter(message.Count) is { } delay)
            {
                await queue.SettleAsync(Settlement.Return, new[] { message.Lease }, delay);
                return;
            }
            node.Log.LogWarning("{Endpoint} did not take message {Message} of topic '{Topic}' in {Attempts} attempts: {Reason}", subscription.Endpoint, message.Id, topic.Name, message.Count, failure.Text);
            if (await BuryAsync(subscription, message, failure)) await queue.SettleAsync(Settlement.Acknowledge, new[] { message.Lease });
        }
        catch (Exception error)
        {
            node.Log.LogError(error, "A delivery to subscription {Subscription} could not be settled; it is tried again", id);
        }
        finally
        {
            _places.Release();
        }
    }

    private async Task<EndpointFailure?> PostAsync(NotificationSubscription subscription, NotificationTopic topic, DeliveryPolicy policy, Taken message)
    {
        var arn = Arns.Of(topic, node.Options.Account);
        var isRaw = subscription.Attributes.GetValueOrDefault(SubscriptionAttributes.RawMessageDelivery) == "true";
        using var request = EndpointRequest.Make(subscription.Endpoint, "Notification", message.Id, arn, $"{arn}:{subscription.Id}", isRaw, message.Body, policy.ContentType);
        return await EndpointRequest.SendAsync(http, request, _stopped);
    }

    /// <summary>Sends a message to the subscription's dead letters, which say why.</summary>
    /// <returns>Whether it is there, or has nowhere to go.</returns>
    private async ValueTask<bool> BuryAsync(NotificationSubscription subscription, Taken message, EndpointFailure failure)
    {
        if (subscription.DeadLetters is null || node.Broker.Queues.Find(subscription.DeadLetters) is not { } target) return true;
        using var headers = new RecordHeadersWriter();
        NotificationAttributes.Write(
        [
            .. message.Attributes,
            new MessageAttribute("RequestID", "String", Encoding.ASCII.GetBytes(Guid.NewGuid().ToString())),
            new MessageAttribute("ErrorCode", "String", Encoding.UTF8.GetBytes(failure.Code)),
            new MessageAttribute("ErrorMessage", "String", JsonEncodedText.Encode(failure.Text).EncodedUtf8Bytes.ToArray()),
        ], headers);
        var batch = MessageBatch.Rent();
        batch.Add(new MessageProperties { Timestamp = node.Now }, message.Key is null ? default : (NullableBytes)message.Key, message.Body.AsSpan(), headers.Headers);
        var outcome = await target.PublishAsync(batch);
        return outcome.Status is QueueStatus.Ok or QueueStatus.NotFound;
    }
}
