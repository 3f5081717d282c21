using System.Collections.Frozen;

namespace Dragoman.Aws.Http;

/// <summary>An operation of a service, under the name of its class.</summary>
internal interface IOperation
{
    /// <summary>Its name.</summary>
    string Name => GetType().Name;

    /// <summary>Whether the Query protocol answers with a result, and not with metadata alone.</summary>
    bool HasResult => true;

    /// <summary>Whether the Query protocol has it at the service's own address only, and not at that of a queue.</summary>
    bool IsOfService => false;

    /// <summary>Whether what a request brings along says enough of who sends it: an endpoint that confirms a subscription has its token, and no access key.</summary>
    bool IsOpen => false;

    /// <summary>Does it.</summary>
    /// <exception cref="AwsException">It is refused.</exception>
    ValueTask HandleAsync(AwsCall call);
}

/// <summary>A service: its operations, and how its answers are dressed.</summary>
/// <param name="name">Its name in signatures.</param>
/// <param name="target">What its operations begin with in the JSON protocol's <c>X-Amz-Target</c>; null if it has no such protocol.</param>
/// <param name="version">The version of its API, by which the Query protocol knows it.</param>
/// <param name="xmlNamespace">The namespace of its XML.</param>
/// <param name="errorPrefix">What the types of its errors begin with in JSON.</param>
/// <param name="isFlattened">Whether its XML flattens lists.</param>
/// <param name="operations">Its operations.</param>
internal sealed class Service(string name, string? target, string version, string xmlNamespace, string errorPrefix, bool isFlattened, IEnumerable<IOperation> operations)
{
    private readonly FrozenDictionary<string, IOperation> _operations = operations.ToFrozenDictionary(o => o.Name, StringComparer.Ordinal);

    public string Name { get; } = name;

    public string? Target { get; } = target;

    public string Version { get; } = version;

    public string XmlNamespace { get; } = xmlNamespace;

    public string ErrorPrefix { get; } = errorPrefix;

    public bool IsFlattened { get; } = isFlattened;

    /// <summary>An operation; null if there is none of that name.</summary>
    public IOperation? Find(string name) => _operations.GetValueOrDefault(name);
}
