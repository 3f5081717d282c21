namespace Dragoman.Kafka.Wire;

/// <summary>
/// The header of a request. A request that is not flexible has version 1 of it, a flexible one version 2, which adds a
/// section of tagged fields; the client id is an ordinary string in both (RequestHeader.json).
/// </summary>
/// <param name="ApiKey">Which request follows.</param>
/// <param name="ApiVersion">The request's version, which the client chose.</param>
/// <param name="CorrelationId">The number that the response repeats.</param>
/// <param name="ClientId">What the client calls itself; null when it does not say, or the API is not declared.</param>
public readonly record struct RequestHeader(ApiKey ApiKey, short ApiVersion, int CorrelationId, string? ClientId)
{
    /// <summary>
    /// Reads a header and leaves the reader at the body. Of an API that is not declared here, or in a version above
    /// what is declared, only the first three fields are read, since the rest of the header is unknown.
    /// </summary>
    /// <returns>False when the bytes are no header: the connection cannot be used any further.</returns>
    public static bool TryRead(ref KafkaReader reader, out RequestHeader header)
    {
        header = default;
        try
        {
            header = Read(ref reader);
            return true;
        }
        catch (KafkaWireException)
        {
            return false;
        }
    }

    /// <summary>Reads a header, as <see cref="TryRead"/> does.</summary>
    /// <exception cref="KafkaWireException">The bytes are no header.</exception>
    public static RequestHeader Read(ref KafkaReader reader)
    {
        var key = (ApiKey)reader.ReadInt16();
        short version = reader.ReadInt16();
        int correlationId = reader.ReadInt32();
        if (!KafkaApis.TryGet(key, out ApiDeclaration api) || version < 0 || version > api.MaxVersion)
            return new RequestHeader(key, version, correlationId, null);

        string? clientId = reader.ReadString(flexible: false, nullable: true);
        if (version >= api.FlexibleFrom)
            reader.SkipTaggedFields();
        return new RequestHeader(key, version, correlationId, clientId);
    }

    internal void Write(ref KafkaWriter writer, bool flexible)
    {
        writer.WriteInt16((short)ApiKey);
        writer.WriteInt16(ApiVersion);
        writer.WriteInt32(CorrelationId);
        writer.WriteString(ClientId, flexible: false, nullable: true, nameof(ClientId));
        if (flexible)
            writer.WriteUnsignedVarint(0);
    }
}
