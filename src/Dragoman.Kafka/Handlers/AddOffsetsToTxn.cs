using Dragoman.Broker.Security;
using Dragoman.Broker.Transactions;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Adds a group to a producer's transaction, so that offsets can be committed with it.</summary>
internal sealed class AddOffsetsToTxnHandler : RequestHandler<AddOffsetsToTxnRequest, AddOffsetsToTxnResponse>
{
    private const short FirstWithFenced = 2;

    protected override async ValueTask<AddOffsetsToTxnResponse?> HandleAsync(AddOffsetsToTxnRequest message, PendingRequest request)
    {
        if (message.TransactionalId.Length == 0) return new AddOffsetsToTxnResponse { ErrorCode = ErrorCode.InvalidRequest };
        if (message.GroupId.Length == 0) return new AddOffsetsToTxnResponse { ErrorCode = ErrorCode.InvalidGroupId };
        if (!request.MayUseTransactionalId(Operations.Write, message.TransactionalId))
            return new AddOffsetsToTxnResponse { ErrorCode = ErrorCode.TransactionalIdAuthorizationFailed };
        if (!request.MayUseGroup(Operations.Read, message.GroupId)) return new AddOffsetsToTxnResponse { ErrorCode = ErrorCode.GroupAuthorizationFailed };
        var producer = new ProducerIdentity(message.ProducerId, message.ProducerEpoch);
        var status = await request.Broker.Transactions.AddGroupAsync(TransactionalId.InDefault(message.TransactionalId), producer, message.GroupId).ConfigureAwait(false);
        return new AddOffsetsToTxnResponse { ErrorCode = TransactionErrors.Of(status, request.Version >= FirstWithFenced) };
    }
}
