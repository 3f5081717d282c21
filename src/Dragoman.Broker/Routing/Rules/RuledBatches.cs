using System.Buffers.Text;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Routing.Rules;

/// <summary>What routes with rules make of messages: a batch for each target.</summary>
/// <param name="queues">Finds targets.</param>
internal sealed class RuledBatches(Queues.Queues queues) : IDisposable
{
    private readonly List<(MessageBatch Batch, LocalQueue Queue, RuledRoute Route)> _batches = [];

    /// <summary>The batches, each with its queue.</summary>
    public IReadOnlyList<(MessageBatch Batch, LocalQueue Queue, RuledRoute Route)> Batches => _batches;

    /// <summary>Adds what routes make of the messages of a batch.</summary>
    /// <param name="batch">The messages.</param>
    /// <param name="routes">The routes.</param>
    /// <param name="now">The time, in milliseconds since 1970.</param>
    public void Add(MessageBatch batch, IReadOnlyList<RuledRoute> routes, long now)
    {
        batch.ForEach((in MessageView message) =>
        {
            Guid? id = null;
            foreach (var route in routes)
            {
                if (route.Filter is { } filter && !filter.Matches(message)) continue;
                id ??= IdOf(message) ?? queues.MakeId();
                Add(message, id.Value, route, now);
            }
        });
    }

    /// <summary>Adds what one route makes of one message, unless its filter keeps the message back.</summary>
    public void Add(in MessageView message, Guid id, RuledRoute route, long now)
    {
        var queue = (LocalQueue?)queues.Find(route.Target);
        Undeliverable? reason = null;
        if (queue is null)
        {
            if (route.DeadLetters is null || queues.Find(route.DeadLetters) is not LocalQueue deadLetters) return;
            queue = deadLetters;
            reason = Missing;
        }
        Transform(BatchFor(queue, route), new RoutedMessage(route.Source, id, now, message, queue.Settings), route, reason);
    }

    /// <summary>What is said of messages whose target is gone.</summary>
    public static Undeliverable Missing { get; } = new("InvocationFailure", "The queue does not exist.");

    /// <summary>A message's own id, if it tells messages apart.</summary>
    public static Guid? IdOf(in MessageView message) =>
        message.Headers.TryGetLast(CanonicalHeaders.MessageId, out var text) && Utf8Parser.TryParse(text.Span, out Guid id, out var read) && read == text.Length ? id : null;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var (batch, _, _) in _batches) batch.Dispose();
        _batches.Clear();
    }

    /// <summary>Adds to a batch what a route makes of a message.</summary>
    public static void Transform(MessageBatch batch, in RoutedMessage message, RuledRoute route, Undeliverable? reason)
    {
        Invariant.Check(route.Transformer is not null, "messages take a route once somebody has registered its transformation");
        route.Transformer!.Add(message, route, reason, batch);
    }

    private MessageBatch BatchFor(LocalQueue queue, RuledRoute route)
    {
        foreach (var (known, to, of) in _batches)
            if (to == queue && of == route) return known;
        var batch = MessageBatch.Rent();
        _batches.Add((batch, queue, route));
        return batch;
    }
}
