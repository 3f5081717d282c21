using System.Buffers;
using System.Buffers.Text;
using System.Text;
using Dragoman.Amqp.Messages;
using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Statistics;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Records;

namespace Dragoman.Amqp.Sessions;

/// <summary>
/// Publishes of one channel. Messages in a row that differ in nothing but their bodies cost one comparison: what follows
/// from their addresses and properties is kept.
/// </summary>
internal sealed class Publisher(Channel channel) : IDisposable
{
    private readonly PublishedHeaders _headers = new();
    private readonly PooledBuffer _last = new();
    private Destination? _destination;
    private CommitMode? _mode;
    private long _lifetime;
    private short _priority;
    private long _delay;

    /// <summary>Publishes a message that has wholly arrived.</summary>
    /// <exception cref="ChannelException">It cannot be published: there is no such exchange, or a property is wrong.</exception>
    public void Publish(ContentAssembly content, in ReadOnlySequence<byte> body)
    {
        var session = channel.Session;
        if (_destination is null || _destination.Varies || session.Destinations.Version != _destination.Version || !content.Head.SequenceEqual(_last.WrittenSpan)) Prepare(content);
        var destination = _destination!;
        var confirms = channel.Confirms;
        var tag = confirms?.Begin() ?? 0;
        var counters = channel.Counters;
        counters.AddAlone(MessageCounter.Publish, 1);
        if (confirms is not null) counters.AddAlone(MessageCounter.PublishForConfirm, 1);
        if (destination.Replies is { } replies)
        {
            session.Counters.Add(MessageCounter.Publish, 1);
            if (replies.Deliver(content.RoutingKey, content.Properties, body)) counters.AddAlone(MessageCounter.PublishOut, 1);
            else if (content.IsMandatory) Return(content, body);
            else Drop();
            confirms?.Settle(tag, 1);
            return;
        }
        session.Count(destination);
        // What a transaction publishes is heard when it is committed.
        var heard = channel.Transaction is null ? destination.Tell(body) : destination.CountListeners();
        if (!destination.HasReceivers && heard == 0)
        {
            if (content.IsMandatory) Return(content, body);
            else Drop();
        }
        if (destination.IsEmpty)
        {
            session.Counters.Add(MessageCounter.Publish, 1);
            if (channel.Transaction is null || heard == 0)
            {
                confirms?.Settle(tag, 1);
                return;
            }
        }
        counters.AddAlone(MessageCounter.PublishOut, destination.Queues.Length + destination.Logs.Length);
        var now = session.UnixNow;
        // A lifetime begins when the delay is over.
        var properties = new MessageProperties
        {
            Timestamp = now,
            ExpiresAt = _lifetime < 0 || _delay > 0 ? -1 : now + _lifetime,
            DeliverAt = _delay > 0 ? now + _delay : -1,
            Priority = _priority,
        };
        if (channel.Transaction is { } transaction) transaction.Publish(destination, _mode, properties, body, _headers.Headers, content.RoutingKey);
        else session.Publishes.Add(destination, _mode, properties, body, _headers.Headers, content.RoutingKey, confirms, tag);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _headers.Dispose();
        _last.Dispose();
        _destination = null;
    }

    /// <summary>Finds out what follows from a message's address and properties.</summary>
    private void Prepare(ContentAssembly content)
    {
        _destination = null;
        var properties = AmqpProperties.Read(content.Properties);
        CheckUser(properties);
        _lifetime = LifetimeOf(properties);
        // A request for direct replies carries the address of its channel's consumer instead.
        if (properties.ReplyTo.SequenceEqual(DirectReplies.Queue))
            properties.ReplyTo = channel.Replies?.AddressBytes ?? throw Errors.Precondition("fast reply consumer does not exist");
        // Only a persistent message in a durable queue has to be on disk.
        _mode = properties.DeliveryMode == 2 ? null : CommitMode.Written;
        _delay = properties.Headers.IsEmpty ? 0 : MessageDelay.Find(properties.Headers);
        var delayed = _delay == 0 ? null : channel.Session.Destinations.FindHolding(Encoding.UTF8.GetString(content.Exchange));
        if (delayed is null) _delay = 0;
        _headers.Write(content.Exchange, content.RoutingKey, properties, withPriority: true, _delay);
        var copies = properties.Headers.IsEmpty ? null : CarbonCopies.Find(properties.Headers);
        var destination = delayed ?? FindDestination(content, copies);
        _priority = -1;
        if (destination.UsesPriority && properties.Has(PropertyFlags.Priority))
        {
            // The queue writes what it acts upon.
            _priority = properties.Priority;
            _headers.Write(content.Exchange, content.RoutingKey, properties, withPriority: false);
        }
        // A log carries the message on by itself, and has to know them.
        if (copies is not null && (destination.Logs.Length > 0 || delayed is not null)) _headers.AddRoutingKeys(copies);
        _last.Clear();
        _last.Write(content.Head);
        _destination = destination;
    }

    private Destination FindDestination(ContentAssembly content, List<string>? copies)
    {
        var destinations = channel.Session.Destinations;
        if (copies is not { Count: > 0 }) return destinations.Find(content.Address, _headers.Headers);
        return destinations.Find(Encoding.UTF8.GetString(content.Exchange), [Encoding.UTF8.GetString(content.RoutingKey), .. copies], _headers.Headers);
    }

    private void CheckUser(in AmqpProperties properties)
    {
        if (!properties.Has(PropertyFlags.UserId)) return;
        var user = channel.Session.User;
        var claimed = Encoding.UTF8.GetString(properties.UserId);
        if (claimed != user.Name && !channel.Session.FrontEnd.Login.MayImpersonate(user))
            throw Errors.Precondition($"user_id property set to '{claimed}' but authenticated user was '{user.Name}'");
    }

    /// <summary>How long a message may wait, in milliseconds; -1 for ever.</summary>
    internal static long LifetimeOf(in AmqpProperties properties)
    {
        if (!properties.Has(PropertyFlags.Expiration)) return -1;
        if (Utf8Parser.TryParse(properties.Expiration, out long milliseconds, out var used) && used == properties.Expiration.Length && milliseconds >= 0) return Math.Min(milliseconds, SubscriptionSettings.MostMilliseconds);
        throw Errors.Precondition($"invalid expiration '{Encoding.UTF8.GetString(properties.Expiration)}': {WhyNot(properties.Expiration)}");
    }

    /// <summary>What is wrong with an expiration, in RabbitMQ's words.</summary>
    private static string WhyNot(ReadOnlySpan<byte> expiration)
    {
        if (!Utf8Parser.TryParse(expiration, out long number, out var used)) return "no_integer";
        if (used < expiration.Length) return $"{{leftover_string,\"{Encoding.UTF8.GetString(expiration[used..])}\"}}";
        return $"{{value_negative,{number}}}";
    }

    /// <summary>Counts a message that nobody gets.</summary>
    private void Drop()
    {
        channel.Counters.AddAlone(MessageCounter.DropUnroutable, 1);
        channel.Session.Counters.Add(MessageCounter.DropUnroutable, 1);
    }

    private void Return(ContentAssembly content, in ReadOnlySequence<byte> body)
    {
        channel.Counters.AddAlone(MessageCounter.ReturnUnroutable, 1);
        channel.Session.Counters.Add(MessageCounter.ReturnUnroutable, 1);
        var method = new BasicReturn
        {
            Code = (ushort)ReplyCode.NoRoute,
            Text = ReplyCode.NoRoute.Name(),
            Exchange = Encoding.UTF8.GetString(content.Exchange),
            RoutingKey = Encoding.UTF8.GetString(content.RoutingKey),
        };
        // What comes back of a transaction comes back when it is committed.
        if (channel.Transaction is { } transaction) transaction.Return(method, content.Properties, body);
        else channel.Session.Output.Send(channel.Number, method, content.Properties, body, channel.Session.FrameMax);
    }
}

/// <summary>The routing keys that a publisher adds in the headers <c>CC</c> and <c>BCC</c>.</summary>
internal static class CarbonCopies
{
    /// <summary>Finds them; null if there are none.</summary>
    public static List<string>? Find(ReadOnlySpan<byte> table)
    {
        List<string>? keys = null;
        var reader = new WireReader(table);
        while (!reader.Rest.IsEmpty)
        {
            var name = reader.ShortString();
            if (!name.SequenceEqual("CC"u8) && !name.SequenceEqual("BCC"u8))
            {
                reader.SkipValue((FieldType)reader.Octet());
                continue;
            }
            var value = reader.Value();
            if (value.Type != FieldType.Array) throw Errors.Precondition($"invalid message: {{unacceptable_type_in_header,\"{Encoding.UTF8.GetString(name)}\",{value.TypeName}}}");
            keys ??= [];
            foreach (var item in value.Items)
                if (item.Type == FieldType.LongString) keys.Add(item.Text);
        }
        return keys;
    }
}
