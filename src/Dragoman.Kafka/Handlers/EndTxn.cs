using Dragoman.Broker.Security;
using Dragoman.Broker.Transactions;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Commits or aborts a producer's transaction.</summary>
internal sealed class EndTxnHandler : RequestHandler<EndTxnRequest, EndTxnResponse>
{
    private const short FirstWithFenced = 2;

    /// <summary>Version 5 ends the transaction with a new epoch, which belongs to <c>transaction.version</c> 2.</summary>
    public override short MaxVersion => 4;

    protected override async ValueTask<EndTxnResponse?> HandleAsync(EndTxnRequest message, PendingRequest request)
    {
        if (message.TransactionalId.Length == 0) return new EndTxnResponse { ErrorCode = ErrorCode.InvalidRequest };
        if (!request.MayUseTransactionalId(Operations.Write, message.TransactionalId)) return new EndTxnResponse { ErrorCode = ErrorCode.TransactionalIdAuthorizationFailed };
        var producer = new ProducerIdentity(message.ProducerId, message.ProducerEpoch);
        var status = await request.Broker.Transactions.EndAsync(TransactionalId.InDefault(message.TransactionalId), producer, message.Committed).ConfigureAwait(false);
        return new EndTxnResponse { ErrorCode = TransactionErrors.Of(status, request.Version >= FirstWithFenced) };
    }
}
