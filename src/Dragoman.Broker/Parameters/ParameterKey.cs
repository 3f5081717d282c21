using Dragoman.Broker.Namespaces;

namespace Dragoman.Broker.Parameters;

/// <summary>What a runtime parameter hangs on.</summary>
public enum ParameterScope : byte
{
    /// <summary>A component of a namespace, such as a link to another broker.</summary>
    Component = 1,

    /// <summary>The whole cluster.</summary>
    Global = 2,

    /// <summary>A user.</summary>
    User = 3,
}

/// <summary>Which runtime parameter.</summary>
/// <param name="Scope">What it hangs on.</param>
/// <param name="Namespace">The namespace, where it hangs on a component of one; else null.</param>
/// <param name="Component">The component; empty for global ones.</param>
/// <param name="Name">Its name there; for a user's, the user.</param>
public sealed record ParameterKey(ParameterScope Scope, NamespaceName? Namespace, string Component, string Name)
{
    /// <summary>The key of a component's parameter.</summary>
    public static ParameterKey Of(NamespaceName space, string component, string name) => new(ParameterScope.Component, space, component, name);

    /// <summary>The key of a global parameter.</summary>
    public static ParameterKey Global(string name) => new(ParameterScope.Global, null, "", name);

    /// <summary>The key of a user's parameter.</summary>
    public static ParameterKey OfUser(string user, string component) => new(ParameterScope.User, null, component, user);
}

/// <summary>A runtime parameter.</summary>
/// <param name="Key">Which.</param>
/// <param name="Value">Its value: JSON text without needless white space.</param>
public sealed record Parameter(ParameterKey Key, string Value);
