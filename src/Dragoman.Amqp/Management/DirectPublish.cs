using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dragoman.Amqp.Messages;
using Dragoman.Amqp.Sessions;
using Dragoman.Amqp.Wire;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Dragoman.Protocols.RabbitMq;
using Dragoman.Storage.Journal;

namespace Dragoman.Amqp.Management;

/// <summary>Publishes one message without a connection, as a mandatory and confirmed one.</summary>
internal sealed class DirectPublish : IPublishOutcome
{
    private bool _isRefused;
    private bool _hasReceivers;

    /// <summary>Publishes a message, and waits until it is safe.</summary>
    /// <returns>Whether it reached a queue, a log or somebody who listens.</returns>
    /// <exception cref="ChannelException">It cannot be published, or a queue refused it.</exception>
    public static async ValueTask<bool> RunAsync(AmqpFrontEnd frontEnd, AmqpCaller caller, AmqpMessage message)
    {
        if (message.Body.Length > frontEnd.Options.MaxMessageBytes)
            throw Errors.Precondition($"message size {message.Body.Length} is larger than configured max size {frontEnd.Options.MaxMessageBytes}");
        var outcome = new DirectPublish();
        var group = new PublishGroup();
        if (!outcome.Fill(group, frontEnd, caller, message, out var heard)) return heard > 0;
        var problem = await group.PublishAsync(frontEnd.Broker).ConfigureAwait(false);
        frontEnd.Alarms.Look();
        if (problem is not null) throw Errors.Internal(problem);
        return !outcome._isRefused && (outcome._hasReceivers || heard > 0);
    }

    void IPublishOutcome.Settle(ulong tag, int count, bool isRefused) => _isRefused |= isRefused;

    /// <summary>Makes a group of the message; false if nobody keeps it.</summary>
    private bool Fill(PublishGroup group, AmqpFrontEnd frontEnd, AmqpCaller caller, AmqpMessage message, out int heard)
    {
        var broker = frontEnd.Broker;
        var encoded = new ArrayBufferWriter<byte>();
        MessagePropertiesJson.Write(encoded, message.Properties);
        var properties = AmqpProperties.Read(encoded.WrittenSpan);
        if (properties.Has(PropertyFlags.UserId) && Encoding.UTF8.GetString(properties.UserId) is var claimed && claimed != caller.User && !frontEnd.Login.MayImpersonate(caller.User))
            throw Errors.Precondition($"user_id property set to '{claimed}' but authenticated user was '{caller.User}'");
        var lifetime = Publisher.LifetimeOf(properties);
        var body = new ReadOnlySequence<byte>(message.Body);
        using var headers = new PublishedHeaders();
        var (exchange, routingKey) = (Encoding.UTF8.GetBytes(message.Exchange), Encoding.UTF8.GetBytes(message.RoutingKey));
        var delay = properties.Headers.IsEmpty ? 0 : MessageDelay.Find(properties.Headers);
        var holding = delay == 0 ? null : FindHolding(broker, caller, message.Exchange);
        if (holding is null) delay = 0;
        headers.Write(exchange, routingKey, properties, withPriority: true, delay);
        var copies = properties.Headers.IsEmpty ? null : CarbonCopies.Find(properties.Headers);
        var destination = holding ?? FindDestination(broker, caller, message, copies, headers.Headers);
        broker.Statistics.Of(caller.Space).Add(Broker.Statistics.MessageCounter.Publish, 1);
        destination.Pending++;
        destination.FlushCounts();
        heard = destination.Tell(body);
        _hasReceivers = destination.HasReceivers;
        if (destination.IsEmpty) return false;
        short priority = -1;
        if (destination.UsesPriority && properties.Has(PropertyFlags.Priority))
        {
            priority = properties.Priority;
            headers.Write(exchange, routingKey, properties, withPriority: false);
        }
        if (copies is not null && (destination.Logs.Length > 0 || holding is not null)) headers.AddRoutingKeys(copies);
        var now = broker.Time.GetUtcNow().ToUnixTimeMilliseconds();
        group.Begin(destination, properties.DeliveryMode == 2 ? null : CommitMode.Written);
        group.Add(new MessageProperties { Timestamp = now, ExpiresAt = lifetime < 0 || delay > 0 ? -1 : now + lifetime, DeliverAt = delay > 0 ? now + delay : -1, Priority = priority }, body, headers.Headers, routingKey, this, 1);
        return true;
    }

    private static Destination FindDestination(Broker.Broker broker, AmqpCaller caller, AmqpMessage message, List<string>? copies, Storage.Records.RecordHeaders headers)
    {
        var result = new RouteResult();
        foreach (var key in (IEnumerable<string>)[message.RoutingKey, .. copies ?? []]) Resolve(broker, caller, message.Exchange, key, headers, result);
        return Destination.Of(broker, caller.Space, message.Exchange, result, version: 0);
    }

    /// <summary>The queue in which messages wait that an exchange holds back; null where it holds none back.</summary>
    private static Destination? FindHolding(Broker.Broker broker, AmqpCaller caller, string exchange)
    {
        var name = new TopicName(caller.Space, exchange);
        if (broker.Routing.Find(name) is not { Facet: { Type: ExchangeTypes.Delayed } facet }) return null;
        AmqpTopology.Require(caller, Operations.Write, ResourceKind.Topic, exchange);
        if (facet.IsInternal) throw Errors.Refused($"cannot publish to internal exchange '{exchange}' in vhost '{caller.VirtualHost}'");
        return broker.Routing.FindHolding(name) is { } queue ? new Destination { Queues = [queue], Logs = [], Counters = broker.Statistics.Of(name) } : null;
    }

    private static void Resolve(Broker.Broker broker, AmqpCaller caller, string exchange, string routingKey, Storage.Records.RecordHeaders headers, RouteResult result)
    {
        if (exchange.Length == 0)
        {
            if (!caller.Identity.Allows(Operations.Write, ResourceKind.Queue, caller.Space, routingKey)) AmqpTopology.Require(caller, Operations.Write, ResourceKind.Topic, "amq.default");
            if (broker.Queues.Find(new QueueName(caller.Space, routingKey)) is { } queue) result.AddQueue(queue);
            return;
        }
        AmqpTopology.Require(caller, Operations.Write, ResourceKind.Topic, exchange);
        var name = new TopicName(caller.Space, exchange);
        if (broker.Routing.Find(name) is not { } found) throw Errors.NoExchange(exchange, caller.VirtualHost);
        if (found.Facet.IsInternal) throw Errors.Refused($"cannot publish to internal exchange '{exchange}' in vhost '{caller.VirtualHost}'");
        AmqpTopology.RequireKey(caller, Operations.Write, found, routingKey);
        if (!broker.Routing.Resolve(name, routingKey, headers, result)) throw Errors.NoExchange(exchange, caller.VirtualHost);
    }
}

/// <summary>A message's properties from JSON and to it, by AMQP's names with underscores.</summary>
internal static class MessagePropertiesJson
{
    /// <summary>Encodes properties; those that AMQP does not have are passed over, as RabbitMQ does.</summary>
    /// <exception cref="ChannelException">One is of the wrong type.</exception>
    public static void Write(IBufferWriter<byte> target, JsonObject json)
    {
        var properties = new AmqpProperties();
        foreach (var (name, value) in json)
        {
            switch (name)
            {
                case "content_type": properties.ContentType = Text(name, value, PropertyFlags.ContentType, ref properties.Flags); break;
                case "content_encoding": properties.ContentEncoding = Text(name, value, PropertyFlags.ContentEncoding, ref properties.Flags); break;
                case "delivery_mode": properties.DeliveryMode = (byte)Number(name, value, byte.MaxValue, PropertyFlags.DeliveryMode, ref properties.Flags); break;
                case "priority": properties.Priority = (byte)Number(name, value, byte.MaxValue, PropertyFlags.Priority, ref properties.Flags); break;
                case "correlation_id": properties.CorrelationId = Text(name, value, PropertyFlags.CorrelationId, ref properties.Flags); break;
                case "reply_to": properties.ReplyTo = Text(name, value, PropertyFlags.ReplyTo, ref properties.Flags); break;
                case "expiration": properties.Expiration = Text(name, value, PropertyFlags.Expiration, ref properties.Flags); break;
                case "message_id": properties.MessageId = Text(name, value, PropertyFlags.MessageId, ref properties.Flags); break;
                case "timestamp": properties.Timestamp = (ulong)Number(name, value, long.MaxValue, PropertyFlags.Timestamp, ref properties.Flags); break;
                case "type": properties.Type = Text(name, value, PropertyFlags.Type, ref properties.Flags); break;
                case "user_id": properties.UserId = Text(name, value, PropertyFlags.UserId, ref properties.Flags); break;
                case "app_id": properties.AppId = Text(name, value, PropertyFlags.AppId, ref properties.Flags); break;
                case "cluster_id": properties.ClusterId = Text(name, value, PropertyFlags.ClusterId, ref properties.Flags); break;
                case "headers" when value is JsonObject table:
                    var buffer = new ArrayBufferWriter<byte>();
                    new WireWriter(buffer).Fields(JsonTable.Read(table));
                    properties.Headers = buffer.WrittenSpan;
                    properties.Flags |= PropertyFlags.Headers;
                    break;
                case "headers":
                    throw Errors.Precondition("the property 'headers' is no object");
                default:
                    break;
            }
        }
        properties.Write(new WireWriter(target));
    }

    /// <summary>Properties as an object.</summary>
    public static JsonObject Read(ReadOnlySpan<byte> encoded)
    {
        var properties = AmqpProperties.Read(encoded);
        var json = new JsonObject();
        if (properties.Has(PropertyFlags.ClusterId)) json["cluster_id"] = Encoding.UTF8.GetString(properties.ClusterId);
        if (properties.Has(PropertyFlags.AppId)) json["app_id"] = Encoding.UTF8.GetString(properties.AppId);
        if (properties.Has(PropertyFlags.UserId)) json["user_id"] = Encoding.UTF8.GetString(properties.UserId);
        if (properties.Has(PropertyFlags.Type)) json["type"] = Encoding.UTF8.GetString(properties.Type);
        if (properties.Has(PropertyFlags.Timestamp)) json["timestamp"] = properties.Timestamp;
        if (properties.Has(PropertyFlags.MessageId)) json["message_id"] = Encoding.UTF8.GetString(properties.MessageId);
        if (properties.Has(PropertyFlags.Expiration)) json["expiration"] = Encoding.UTF8.GetString(properties.Expiration);
        if (properties.Has(PropertyFlags.ReplyTo)) json["reply_to"] = Encoding.UTF8.GetString(properties.ReplyTo);
        if (properties.Has(PropertyFlags.CorrelationId)) json["correlation_id"] = Encoding.UTF8.GetString(properties.CorrelationId);
        if (properties.Has(PropertyFlags.Priority)) json["priority"] = properties.Priority;
        if (properties.Has(PropertyFlags.DeliveryMode)) json["delivery_mode"] = properties.DeliveryMode;
        if (properties.Has(PropertyFlags.Headers)) json["headers"] = JsonTable.Write(new WireReader(properties.Headers).Fields());
        if (properties.Has(PropertyFlags.ContentEncoding)) json["content_encoding"] = Encoding.UTF8.GetString(properties.ContentEncoding);
        if (properties.Has(PropertyFlags.ContentType)) json["content_type"] = Encoding.UTF8.GetString(properties.ContentType);
        return json;
    }

    private static byte[] Text(string name, JsonNode? value, PropertyFlags flag, ref PropertyFlags flags)
    {
        if (value?.GetValueKind() != JsonValueKind.String) throw Errors.Precondition($"the property '{name}' is no text");
        var bytes = Encoding.UTF8.GetBytes(value.GetValue<string>());
        if (bytes.Length > byte.MaxValue) throw Errors.Precondition($"the property '{name}' is longer than {byte.MaxValue} bytes");
        flags |= flag;
        return bytes;
    }

    private static long Number(string name, JsonNode? value, long most, PropertyFlags flag, ref PropertyFlags flags)
    {
        if (value is not JsonValue number || !(number.TryGetValue(out long whole) || (number.TryGetValue(out string? text) && long.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out whole))) || whole < 0 || whole > most)
            throw Errors.Precondition($"the property '{name}' is no whole number from 0 to {most}");
        flags |= flag;
        return whole;
    }
}
