using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;
using Dragoman.Storage.Journal;

namespace Dragoman.Kafka.Handlers;

/// <summary>Gives idempotent producers their ids. Each request gets a new one: without a transactional id, nobody takes over from anybody.</summary>
internal sealed class InitProducerIdHandler : RequestHandler<InitProducerIdRequest, InitProducerIdResponse>
{
    protected override async ValueTask<InitProducerIdResponse?> HandleAsync(InitProducerIdRequest message, PendingRequest request)
    {
        // Clients give up on this one at once, and say so.
        if (message.TransactionalId is not null) return new InitProducerIdResponse { ErrorCode = ErrorCode.UnsupportedVersion, ProducerEpoch = -1 };
        if (!request.MayProduceIdempotently()) return new InitProducerIdResponse { ErrorCode = ErrorCode.ClusterAuthorizationFailed, ProducerEpoch = -1 };
        try
        {
            return new InitProducerIdResponse { ProducerId = await request.Broker.ProducerIds.AllocateAsync().ConfigureAwait(false) };
        }
        catch (StorageFullException)
        {
            // Of the codes that producers try again on, the one that asks them to look for the coordinator once more.
            return new InitProducerIdResponse { ErrorCode = ErrorCode.CoordinatorNotAvailable, ProducerEpoch = -1 };
        }
        catch (StoreFailedException)
        {
            return new InitProducerIdResponse { ErrorCode = ErrorCode.CoordinatorNotAvailable, ProducerEpoch = -1 };
        }
    }
}
