using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Dragoman.Aws.Sns.Signing;
using Dragoman.Broker.Notifications;
using Dragoman.Broker.Queues;
using Microsoft.Extensions.Logging;

namespace Dragoman.Aws.Sns.Delivery;

/// <summary>
/// Takes what is in the queues of endpoints there: each subscription has a loop of its own and so many deliveries at once, so
/// that a slow endpoint holds up nobody else.
/// </summary>
internal sealed class EndpointDelivery : IDisposable
{
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(15);

    private readonly AwsNode _node;
    /// <summary>Endpoints that are asked or told at one time: each may take a minute, and costs a connection.</summary>
    private const int MaxTold = 256;

    private readonly ConcurrentDictionary<Guid, EndpointPump> _pumps = new();
    private readonly ConcurrentDictionary<(Guid Subscription, string Token), bool> _told = new();
    private readonly List<IQueueHandle> _orphans = [];
    private readonly HttpClient _http;
    private readonly CancellationTokenSource _stop;

    [SuppressMessage("Reliability", "CA2000", Justification = "The client disposes of its handler.")]
    public EndpointDelivery(AwsNode node, Signer signer)
    {
        _node = node;
        Signer = signer;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(node.Options.Stopping);
        _http = new HttpClient(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            // No trace goes out to strangers.
            ActivityHeadersPropagator = null,
        })
        { Timeout = RequestTimeout, MaxResponseContentBufferSize = 64 << 10 };
        // A crash may leave the queue of a subscription that was never made, or is gone. Nobody asks for anything yet, so no id is on its way.
        foreach (var queue in node.Broker.Queues.List())
            if (queue.Name.Namespace == EndpointQueues.Namespace && Guid.TryParse(queue.Name.Name, out var id) && node.Broker.Notifications.Find(id) is null) _orphans.Add(queue);
    }

    public Signer Signer { get; }

    /// <summary>Begins with the subscriptions that are there.</summary>
    public void Start()
    {
        foreach (var subscription in _node.Broker.Notifications.ListSubscriptions()) Refresh(subscription);
        if (_orphans.Count > 0) _ = DropOrphansAsync();
    }

    private async Task DropOrphansAsync()
    {
        foreach (var queue in _orphans)
        {
            var answer = await _node.Broker.Queues.DeleteAsync(queue);
            if (answer.Status is not (QueueStatus.Ok or QueueStatus.NotFound)) _node.Log.LogWarning("Queue '{Queue}', which belongs to no subscription, could not be deleted: {Reason}", queue.Name, answer.Message ?? answer.Status.ToString());
        }
    }

    /// <summary>Makes a subscription's queue, before anything is routed there.</summary>
    public async ValueTask PrepareAsync(NotificationSubscription subscription, CancellationToken cancellation)
    {
        if (!EndpointQueues.IsFor(subscription)) return;
        var answer = await _node.Broker.Queues.DeclareAsync(EndpointQueues.NameOf(subscription.Id), EndpointQueues.Settings(_node.Options), cancellation);
        if (answer.Status is not (QueueStatus.Ok or QueueStatus.AlreadyExists)) throw Http.AwsException.Unavailable(answer.Message ?? "There is no room for what is to be delivered.");
    }

    /// <summary>Takes in that a subscription was made or has changed.</summary>
    public void Refresh(NotificationSubscription subscription)
    {
        if (!EndpointQueues.IsFor(subscription) || !subscription.IsConfirmed || _stop.IsCancellationRequested) return;
        var pump = _pumps.GetOrAdd(subscription.Id, static (id, owner) => new EndpointPump(owner._node, owner._http, id, owner._stop.Token), this);
        pump.Start();
    }

    /// <summary>Ends delivery to a subscription, and drops what was on its way.</summary>
    public async ValueTask RemoveAsync(NotificationSubscription subscription)
    {
        if (_pumps.TryRemove(subscription.Id, out var pump)) pump.Stop();
        if (_node.Broker.Queues.Find(EndpointQueues.NameOf(subscription.Id)) is { } queue) await _node.Broker.Queues.DeleteAsync(queue);
    }

    /// <summary>Asks or tells an endpoint about its subscription; it is tried a few times, and not once more meanwhile.</summary>
    /// <returns>False if too many others are asked just now.</returns>
    public bool Tell(NotificationSubscription subscription, string type, string body, Guid id, string topicArn, string? subscriptionArn)
    {
        var key = (subscription.Id, subscription.Token);
        if (_told.ContainsKey(key)) return true;
        if (_told.Count >= MaxTold) return false;
        if (_told.TryAdd(key, true)) _ = RunAsync();
        return true;

        async Task RunAsync()
        {
            try
            {
                await TellAsync(subscription, type, body, id, topicArn, subscriptionArn);
            }
#pragma warning disable CA1031 // Nobody waits for it: what goes wrong is said here.
            catch (Exception error)
            {
                _node.Log.LogError(error, "{Endpoint} could not be told a {Type}", subscription.Endpoint, type);
            }
#pragma warning restore CA1031
            finally
            {
                _told.TryRemove(key, out _);
            }
        }
    }

    public void Dispose()
    {
        _stop.Cancel();
        _http.Dispose();
        _stop.Dispose();
    }

    private async Task TellAsync(NotificationSubscription subscription, string type, string body, Guid id, string topicArn, string? subscriptionArn)
    {
        var topic = _node.Broker.Notifications.Find(subscription.Topic);
        var policy = DeliveryPolicy.Read(topic?.Attributes.GetValueOrDefault(TopicAttributes.DeliveryPolicy), null);
        for (var attempt = 1; ; attempt++)
        {
            using var request = EndpointRequest.Make(subscription.Endpoint, type, id, topicArn, subscriptionArn, isRaw: false, System.Text.Encoding.UTF8.GetBytes(body), policy.ContentType);
            var failure = await EndpointRequest.SendAsync(_http, request, _stop.Token);
            if (failure is null || _stop.IsCancellationRequested) return;
            if (failure.IsFinal || policy.DelayAfter(attempt) is not { } delay)
            {
                _node.Log.LogWarning("{Endpoint} did not take a {Type} of {Topic}: {Reason}", subscription.Endpoint, type, topicArn, failure.Text);
                return;
            }
            try
            {
                await Task.Delay(delay, _node.Broker.Time, _stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }
}
