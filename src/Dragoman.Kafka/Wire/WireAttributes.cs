namespace Dragoman.Kafka.Wire;

/// <summary>
/// Declares a request of the Kafka protocol. The type must be a <c>sealed partial class</c>; its codec is generated
/// from its <see cref="FieldAttribute"/> properties, in the order they are declared.
/// </summary>
/// <param name="apiKey">The request's number on the wire.</param>
/// <param name="versions">The versions that can be decoded and encoded, as <c>"0-13"</c>.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class KafkaRequestAttribute(ApiKey apiKey, string versions) : Attribute
{
    /// <summary>The request's number on the wire.</summary>
    public ApiKey ApiKey { get; } = apiKey;

    /// <summary>The versions that can be decoded and encoded.</summary>
    public string Versions { get; } = versions;

    /// <summary>The first flexible version (KIP-482); <see cref="short.MaxValue"/> when there is none.</summary>
    public short FlexibleFrom { get; init; } = short.MaxValue;

    /// <summary>
    /// The lowest version to advertise, where that is below the lowest that is decoded; -1 when they are the same.
    /// </summary>
    public short AdvertisedFrom { get; init; } = -1;
}

/// <summary>Declares a response of the Kafka protocol; see <see cref="KafkaRequestAttribute"/>.</summary>
/// <param name="apiKey">The number of the request it answers.</param>
/// <param name="versions">The versions that can be decoded and encoded, as <c>"0-13"</c>.</param>
[AttributeUsage(AttributeTargets.Class, Inherited = false)]
public sealed class KafkaResponseAttribute(ApiKey apiKey, string versions) : Attribute
{
    /// <summary>The number of the request it answers.</summary>
    public ApiKey ApiKey { get; } = apiKey;

    /// <summary>The versions that can be decoded and encoded.</summary>
    public string Versions { get; } = versions;

    /// <summary>The first flexible version (KIP-482); <see cref="short.MaxValue"/> when there is none.</summary>
    public short FlexibleFrom { get; init; } = short.MaxValue;
}

/// <summary>
/// Declares a field of a message or of a structure nested in it. In a version that does not have the field, decoding
/// leaves the property's initial value and encoding leaves the field out.
/// </summary>
/// <param name="versions">The versions that carry the field: <c>"4+"</c>, <c>"0-12"</c> or <c>"3"</c>.</param>
/// <remarks>
/// The wire type follows from the property type: <c>bool</c>, <c>sbyte</c>, <c>short</c>, <c>ushort</c>, <c>int</c>,
/// <c>uint</c>, <c>long</c>, <c>ulong</c>, <c>double</c>, <c>Guid</c> (uuid), <c>string</c>, <c>byte[]</c> (bytes),
/// <see cref="Wire.Records"/>, an enum (by its underlying type), a nested class, or a <c>List</c> of one of these.
/// </remarks>
[AttributeUsage(AttributeTargets.Property)]
public sealed class FieldAttribute(string versions) : Attribute
{
    /// <summary>The versions that carry the field.</summary>
    public string Versions { get; } = versions;

    /// <summary>The versions in which the field may be null on the wire; none when absent.</summary>
    public string? Nullable { get; init; }

    /// <summary>
    /// The tag, for a field of the tagged section (KIP-482); -1 for an ordinary field. A tagged field is written only
    /// when it differs from its initial value, and a nested class when it is not null.
    /// </summary>
    public int Tag { get; init; } = -1;
}
