using Dragoman.Broker.Quotas;
using Dragoman.Broker.Security;
using Dragoman.Kafka.Quotas;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Sets and removes quotas (KIP-546).</summary>
internal sealed class AlterClientQuotasHandler : RequestHandler<AlterClientQuotasRequest, AlterClientQuotasResponse>
{
    protected override async ValueTask<AlterClientQuotasResponse?> HandleAsync(AlterClientQuotasRequest message, PendingRequest request)
    {
        var response = new AlterClientQuotasResponse();
        var changes = new List<QuotaChange>();
        var changed = new List<AlterClientQuotasResponse.EntryData>();
        var seen = new HashSet<QuotaEntity>();
        foreach (var entry in message.Entries)
        {
            var answer = new AlterClientQuotasResponse.EntryData { Entity = [.. entry.Entity.Select(p => new AlterClientQuotasResponse.EntityData { EntityType = p.EntityType, EntityName = p.EntityName })] };
            response.Entries.Add(answer);
            try
            {
                request.RequireCluster(Operations.AlterConfigs);
                var entity = QuotaNames.Parse(entry.Entity.Select(p => (p.EntityType, p.EntityName)));
                if (!seen.Add(entity)) throw new KafkaRequestException(ErrorCode.InvalidRequest, $"The request names the entity {entity} more than once.");
                changes.AddRange(Changes(entity, entry.Ops));
                changed.Add(answer);
            }
            catch (KafkaRequestException error)
            {
                (answer.ErrorCode, answer.ErrorMessage) = (error.Code, error.Message);
            }
        }
        if (message.ValidateOnly || changes.Count == 0) return response;
        var (status, why) = await request.Broker.Quotas.ChangeAsync(changes).ConfigureAwait(false);
        if (status == QuotaStatus.Ok) return response;
        foreach (var answer in changed) (answer.ErrorCode, answer.ErrorMessage) = (ErrorCode.KafkaStorageError, why);
        return response;
    }

    private static List<QuotaChange> Changes(QuotaEntity entity, List<AlterClientQuotasRequest.OpData> operations)
    {
        var changes = new List<QuotaChange>();
        foreach (var operation in operations)
        {
            var limit = operation.Remove ? (double?)null : operation.Value;
            var kind = QuotaNames.Parse(operation.Key, entity, limit);
            if (changes.Exists(c => c.Kind == kind)) throw new KafkaRequestException(ErrorCode.InvalidRequest, $"Duplicate quota key {operation.Key}");
            changes.Add(new QuotaChange(entity, kind, limit));
        }
        return changes;
    }
}
