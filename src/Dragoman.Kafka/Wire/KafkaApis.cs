namespace Dragoman.Kafka.Wire;

/// <summary>What is declared of an API.</summary>
/// <param name="Key">Its number.</param>
/// <param name="AdvertisedMinVersion">
/// The lowest version to advertise. Below <paramref name="MinVersion"/> where clients misread a raised minimum.
/// </param>
/// <param name="MinVersion">The lowest version that can be decoded.</param>
/// <param name="MaxVersion">The highest version that can be decoded, and to advertise.</param>
/// <param name="FlexibleFrom">The first flexible version; <see cref="short.MaxValue"/> when there is none.</param>
public readonly record struct ApiDeclaration(
    ApiKey Key, short AdvertisedMinVersion, short MinVersion, short MaxVersion, short FlexibleFrom)
{
    /// <summary>Whether requests of a version can be decoded.</summary>
    public bool Decodes(short version) => version >= MinVersion && version <= MaxVersion;
}

/// <summary>Every API that is declared, by its number. The list is generated from the declarations.</summary>
public static partial class KafkaApis
{
    private static readonly ApiDeclaration[] s_all = CreateAll();
    private static readonly ApiDeclaration?[] s_byKey = IndexByKey(s_all);

    /// <summary>The declared APIs in the order of their numbers.</summary>
    public static ReadOnlySpan<ApiDeclaration> All => s_all;

    /// <summary>Finds an API; false when it is not declared.</summary>
    public static bool TryGet(ApiKey key, out ApiDeclaration api)
    {
        ApiDeclaration? found = (uint)(ushort)key < (uint)s_byKey.Length ? s_byKey[(ushort)key] : null;
        api = found.GetValueOrDefault();
        return found.HasValue;
    }

    private static ApiDeclaration?[] IndexByKey(ApiDeclaration[] all)
    {
        var byKey = new ApiDeclaration?[(int)all[^1].Key + 1];
        foreach (ApiDeclaration api in all)
            byKey[(int)api.Key] = api;
        return byKey;
    }

    /// <summary>Refuses a version that a message is not declared for.</summary>
    internal static void CheckVersion(ApiKey key, short version, short min, short max)
    {
        if (version < min || version > max)
            throw new KafkaWireException(
                KafkaWireError.UnsupportedVersion, $"{key} has versions {min} to {max} here, not {version}.");
    }
}
