namespace Dragoman.Broker.Quotas;

/// <summary>A part of whom a quota is for: one by name, or whoever has no quota by name.</summary>
/// <param name="Name">The name; null for the default.</param>
public readonly record struct QuotaName(string? Name);

/// <summary>Whom a quota is for: a user, a client id, a client id of a user, or an address; null parts do not matter.</summary>
/// <param name="User">The user.</param>
/// <param name="ClientId">What the client calls itself.</param>
/// <param name="Address">The address that it connects from; never together with the other parts.</param>
public sealed record QuotaEntity(QuotaName? User, QuotaName? ClientId, QuotaName? Address)
{
    /// <inheritdoc/>
    public override string ToString() =>
        string.Join(", ", new[] { Show("user", User), Show("client-id", ClientId), Show("ip", Address) }.Where(part => part is not null));

    private static string? Show(string part, QuotaName? name) => name is { } set ? $"{part} {set.Name ?? "<default>"}" : null;
}

/// <summary>What a quota limits.</summary>
public enum QuotaKind : byte
{
    /// <summary>Bytes a second that are published.</summary>
    PublishBytes = 1,

    /// <summary>Bytes a second that are consumed.</summary>
    ConsumeBytes = 2,

    /// <summary>Partitions a second that are created or deleted.</summary>
    PartitionChanges = 3,

    /// <summary>Connections a second from an address.</summary>
    Connections = 4,
}

/// <summary>One change of a quota.</summary>
/// <param name="Entity">For whom.</param>
/// <param name="Kind">Of what.</param>
/// <param name="Limit">How much a second, above 0; null to remove the quota.</param>
public readonly record struct QuotaChange(QuotaEntity Entity, QuotaKind Kind, double? Limit);
