using System.Net;
using Dragoman.Broker.Quotas;
using Dragoman.Kafka.Wire;

namespace Dragoman.Kafka.Quotas;

/// <summary>Quotas as Kafka names them (KIP-546, KIP-599, KIP-612).</summary>
internal static class QuotaNames
{
    public const string User = "user";
    public const string ClientId = "client-id";
    public const string Ip = "ip";

    private const string RequestPercentage = "request_percentage";

    /// <summary>A quota's name.</summary>
    public static string Of(QuotaKind kind) => kind switch
    {
        QuotaKind.PublishBytes => "producer_byte_rate",
        QuotaKind.ConsumeBytes => "consumer_byte_rate",
        QuotaKind.PartitionChanges => "controller_mutation_rate",
        _ => "connection_creation_rate",
    };

    /// <summary>The quota of a name, for an entity and with a limit that go with it.</summary>
    /// <exception cref="KafkaRequestException">There is no such quota, or not for this entity, or not of this size.</exception>
    public static QuotaKind Parse(string name, QuotaEntity entity, double? limit)
    {
        // Requests share threads here, so there is no share of one to measure.
        if (name == RequestPercentage && entity.Address is null)
            throw Invalid($"{RequestPercentage} is not enforced by this broker, and so it is not kept.");
        var kind = Find(name);
        if (kind is not { } known || (known == QuotaKind.Connections) != (entity.Address is not null)) throw Invalid($"Invalid configuration key {name}");
        if (limit is not { } set) return known;
        if (!(set > 0)) throw Invalid($"Quota {name} must be greater than 0");
        if (known == QuotaKind.PartitionChanges) return known;
        if (set > (known == QuotaKind.Connections ? int.MaxValue : (double)long.MaxValue)) throw Invalid($"The value of {name} is too large.");
        if (Math.Abs(set % 1.0) > 1e-6) throw Invalid($"{name} cannot be a fractional value.");
        return known;
    }

    private static QuotaKind? Find(string name)
    {
        foreach (var kind in Enum.GetValues<QuotaKind>())
            if (Of(kind) == name) return kind;
        return null;
    }

    /// <summary>An entity by the names of its parts.</summary>
    /// <exception cref="KafkaRequestException">It is none.</exception>
    public static QuotaEntity Parse(IEnumerable<(string Type, string? Name)> parts)
    {
        var found = new Dictionary<string, QuotaName>(StringComparer.Ordinal);
        foreach (var (type, name) in parts)
        {
            if (type is not (User or ClientId or Ip)) throw Invalid($"Unhandled client quota entity type: {type}");
            if (name?.Length == 0) throw Invalid($"Empty {type} not supported");
            if (!found.TryAdd(type, new QuotaName(name))) throw Invalid($"Invalid client quota entity, duplicate entity entry {type}");
        }
        if (found.Count == 0) throw Invalid("Invalid empty client quota entity");
        if (found.TryGetValue(Ip, out var address))
        {
            if (found.Count > 1) throw Invalid("Invalid quota entity combination, IP entity should not be combined with User or ClientId");
            if (address.Name is null) return new QuotaEntity(null, null, address);
            // Kafka looks names up; an address does not change its meaning later.
            if (!IPAddress.TryParse(address.Name, out var parsed)) throw Invalid($"{address.Name} is not a valid IP address.");
            return new QuotaEntity(null, null, new QuotaName(parsed.ToString()));
        }
        return new QuotaEntity(Part(User), Part(ClientId), null);

        QuotaName? Part(string type) => found.TryGetValue(type, out var name) ? name : null;
    }

    /// <summary>The parts of an entity by their names.</summary>
    public static IEnumerable<(string Type, string? Name)> PartsOf(QuotaEntity entity)
    {
        if (entity.User is { } user) yield return (User, user.Name);
        if (entity.ClientId is { } client) yield return (ClientId, client.Name);
        if (entity.Address is { } address) yield return (Ip, address.Name);
    }

    private static KafkaRequestException Invalid(string message) => new(ErrorCode.InvalidRequest, message);
}
