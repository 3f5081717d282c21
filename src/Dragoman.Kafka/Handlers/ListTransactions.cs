using Dragoman.Broker.Security;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Lists transactions, all or those that filters let through (KIP-664, KIP-994).</summary>
internal sealed class ListTransactionsHandler : RequestHandler<ListTransactionsRequest, ListTransactionsResponse>
{
    protected override ValueTask<ListTransactionsResponse?> HandleAsync(ListTransactionsRequest message, PendingRequest request)
    {
        var response = new ListTransactionsResponse();
        foreach (var state in message.StateFilters)
            if (!TransactionStates.IsKnown(state)) response.UnknownStateFilters.Add(state);
        var now = request.Broker.Time.GetUtcNow().ToUnixTimeMilliseconds();
        foreach (var transaction in request.Broker.Transactions.List())
        {
            if (!request.MayUseTransactionalId(Operations.Describe, transaction.Id.Name)) continue;
            var state = TransactionStates.NameOf(transaction.State);
            if (message.StateFilters.Count > 0 && !message.StateFilters.Contains(state)) continue;
            if (message.ProducerIdFilters.Count > 0 && !message.ProducerIdFilters.Contains(transaction.Producer.Id)) continue;
            // Kafka compares with the start of the newest transaction, which is -1 where there was none.
            if (message.DurationFilter >= 0 && now - transaction.StartedMs <= message.DurationFilter) continue;
            response.TransactionStates.Add(new() { TransactionalId = transaction.Id.Name, ProducerId = transaction.Producer.Id, TransactionState = state });
        }
        return ValueTask.FromResult<ListTransactionsResponse?>(response);
    }
}
