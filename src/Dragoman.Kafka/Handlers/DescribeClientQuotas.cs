using Dragoman.Broker.Quotas;
using Dragoman.Broker.Security;
using Dragoman.Kafka.Quotas;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Says which quotas there are (KIP-546).</summary>
internal sealed class DescribeClientQuotasHandler : RequestHandler<DescribeClientQuotasRequest, DescribeClientQuotasResponse>
{
    private const sbyte Exact = 0;
    private const sbyte Default = 1;
    private const sbyte Any = 2;

    protected override ValueTask<DescribeClientQuotasResponse?> HandleAsync(DescribeClientQuotasRequest message, PendingRequest request)
    {
        try
        {
            request.RequireCluster(Operations.DescribeConfigs);
            Check(message);
        }
        catch (KafkaRequestException error)
        {
            return ValueTask.FromResult<DescribeClientQuotasResponse?>(new DescribeClientQuotasResponse { ErrorCode = error.Code, ErrorMessage = error.Message, Entries = null });
        }
        var entries = new List<DescribeClientQuotasResponse.EntryData>();
        foreach (var quotas in request.Broker.Quotas.List().GroupBy(q => q.Entity))
        {
            if (!Matches(quotas.Key, message)) continue;
            entries.Add(new()
            {
                Entity = [.. QuotaNames.PartsOf(quotas.Key).Select(p => new DescribeClientQuotasResponse.EntityData { EntityType = p.Type, EntityName = p.Name })],
                Values = [.. quotas.Select(q => new DescribeClientQuotasResponse.ValueData { Key = QuotaNames.Of(q.Kind), Value = q.Limit!.Value })],
            });
        }
        return ValueTask.FromResult<DescribeClientQuotasResponse?>(new DescribeClientQuotasResponse { Entries = entries });
    }

    private static void Check(DescribeClientQuotasRequest message)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var component in message.Components)
        {
            if (component.EntityType is not (QuotaNames.User or QuotaNames.ClientId or QuotaNames.Ip))
                throw new KafkaRequestException(component.EntityType.Length == 0 ? ErrorCode.InvalidRequest : ErrorCode.UnsupportedVersion, $"Custom entity type '{component.EntityType}' not supported");
            if (!seen.Add(component.EntityType)) throw new KafkaRequestException(ErrorCode.InvalidRequest, $"Duplicate entity type {component.EntityType}");
            if (component.MatchType is not (Exact or Default or Any)) throw new KafkaRequestException(ErrorCode.InvalidRequest, $"There is no match type {component.MatchType}.");
            if (component.MatchType == Exact && component.Match is null) throw new KafkaRequestException(ErrorCode.InvalidRequest, "A match by name needs the name.");
        }
        if (seen.Contains(QuotaNames.Ip) && seen.Count > 1)
            throw new KafkaRequestException(ErrorCode.InvalidRequest, "Invalid entity filter component combination, IP filter component should not be used with User or ClientId filter component.");
    }

    private static bool Matches(QuotaEntity entity, DescribeClientQuotasRequest message)
    {
        var parts = QuotaNames.PartsOf(entity).ToDictionary(p => p.Type, p => p.Name);
        if (message.Strict && parts.Count != message.Components.Count) return false;
        foreach (var component in message.Components)
        {
            if (!parts.TryGetValue(component.EntityType, out var name)) return false;
            if (component.MatchType == Exact && name != component.Match) return false;
            if (component.MatchType == Default && name is not null) return false;
        }
        return true;
    }
}
