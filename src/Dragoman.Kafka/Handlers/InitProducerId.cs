using Dragoman.Broker.Security;
using Dragoman.Broker.Transactions;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;
using Dragoman.Storage.Journal;

namespace Dragoman.Kafka.Handlers;

/// <summary>
/// Gives producers their identity. Without a transactional id each request gets a new one, and nobody takes over from
/// anybody; with one, whoever asks fences those who asked before.
/// </summary>
internal sealed class InitProducerIdHandler : RequestHandler<InitProducerIdRequest, InitProducerIdResponse>
{
    private const short FirstWithFenced = 4;

    protected override async ValueTask<InitProducerIdResponse?> HandleAsync(InitProducerIdRequest message, PendingRequest request)
    {
        if (message.TransactionalId is not { } id)
        {
            return request.MayProduceIdempotently() ? await AllocateAsync(request).ConfigureAwait(false) : Refuse(ErrorCode.ClusterAuthorizationFailed);
        }
        if (!request.MayUseTransactionalId(Operations.Write, id)) return Refuse(ErrorCode.TransactionalIdAuthorizationFailed);
        // Both or neither (KIP-360).
        if ((message.ProducerId < 0) != (message.ProducerEpoch < 0)) return Refuse(ErrorCode.InvalidRequest);
        ProducerIdentity? known = message.ProducerId < 0 ? null : new ProducerIdentity(message.ProducerId, message.ProducerEpoch);
        var answer = await request.Broker.Transactions.InitialiseAsync(TransactionalId.InDefault(id), message.TransactionTimeoutMs, known).ConfigureAwait(false);
        if (answer.Status != TransactionStatus.Ok) return Refuse(TransactionErrors.Of(answer.Status, request.Version >= FirstWithFenced));
        return new InitProducerIdResponse { ProducerId = answer.Producer.Id, ProducerEpoch = answer.Producer.Epoch };
    }

    private static async ValueTask<InitProducerIdResponse> AllocateAsync(PendingRequest request)
    {
        try
        {
            return new InitProducerIdResponse { ProducerId = await request.Broker.ProducerIds.AllocateAsync().ConfigureAwait(false) };
        }
        catch (StorageFullException)
        {
            // Of the codes that producers try again on, the one that asks them to look for the coordinator once more.
            return Refuse(ErrorCode.CoordinatorNotAvailable);
        }
        catch (StoreFailedException)
        {
            return Refuse(ErrorCode.CoordinatorNotAvailable);
        }
    }

    private static InitProducerIdResponse Refuse(ErrorCode error) => new() { ErrorCode = error, ProducerEpoch = -1 };
}
