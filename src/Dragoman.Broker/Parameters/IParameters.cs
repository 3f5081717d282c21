using System.Text.Json;
using Dragoman.Broker.Namespaces;

namespace Dragoman.Broker.Parameters;

/// <summary>How a change of a parameter or policy ended.</summary>
public enum ParameterStatus
{
    /// <summary>It was done.</summary>
    Ok,

    /// <summary>There is none of that name.</summary>
    NotFound,

    /// <summary>It is not what its component takes.</summary>
    Invalid,

    /// <summary>There is no room on disk; later there may be.</summary>
    Full,

    /// <summary>The disk failed.</summary>
    StorageError,
}

/// <summary>The answer to a change of a parameter or policy.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Message">What is wrong; for what is not valid in RabbitMQ's words, line by line.</param>
public readonly record struct ParameterAnswer(ParameterStatus Status, string? Message = null);

/// <summary>A part of the broker that is told what to do by parameters. It says what these may be.</summary>
public interface IParameterComponent
{
    /// <summary>Its name.</summary>
    string Name { get; }

    /// <summary>Checks a parameter before it is set.</summary>
    /// <param name="space">The namespace.</param>
    /// <param name="name">The parameter's name.</param>
    /// <param name="value">Its value.</param>
    /// <returns>What is wrong, one sentence each; empty if nothing is.</returns>
    IReadOnlyList<string> Validate(NamespaceName space, string name, JsonElement value);

    /// <summary>The namespaces of this broker that a value has it act in, whatever the parameter's own is.</summary>
    /// <param name="name">The parameter's name.</param>
    /// <param name="value">Its value, whether or not it is valid.</param>
    IReadOnlyList<NamespaceName> Reaches(string name, JsonElement value) => [];
}

/// <summary>
/// Runtime parameters: what operators tell parts of the broker while it runs, as JSON, by component, namespace and name
/// (rabbitmq.com, "Parameters and Policies"). Changes are answered when they are on disk.
/// </summary>
public interface IParameters
{
    /// <summary>Has a component take parameters. One that nobody registered takes none; what was set before stays.</summary>
    void Register(IParameterComponent component);

    /// <summary>Whether somebody takes parameters of a component.</summary>
    bool IsRegistered(string component);

    /// <summary>A parameter; null if it is not set.</summary>
    Parameter? Find(ParameterKey key);

    /// <summary>The parameters of components, in the order of component, namespace and name.</summary>
    /// <param name="component">Those of one component alone; null for all.</param>
    /// <param name="space">Those of one namespace alone; null for all.</param>
    IReadOnlyList<Parameter> List(string? component = null, NamespaceName? space = null);

    /// <summary>The global parameters, in the order of their names.</summary>
    IReadOnlyList<Parameter> Global { get; }

    /// <summary>Sets a parameter. One of a component is checked by it.</summary>
    /// <param name="key">Which; of components or global.</param>
    /// <param name="value">Its value, any JSON.</param>
    /// <param name="cancellation">Ends the wait for admission.</param>
    ValueTask<ParameterAnswer> SetAsync(ParameterKey key, JsonElement value, CancellationToken cancellation = default);

    /// <summary>The namespaces that a value of a component's parameter has this broker act in: whoever sets it has to be let into them.</summary>
    /// <param name="key">The parameter.</param>
    /// <param name="value">The value.</param>
    IReadOnlyList<NamespaceName> ReachedBy(ParameterKey key, JsonElement value);

    /// <summary>Takes a parameter back.</summary>
    ValueTask<ParameterAnswer> RemoveAsync(ParameterKey key, CancellationToken cancellation = default);

    /// <summary>Takes back all parameters of a namespace that goes.</summary>
    ValueTask<ParameterAnswer> RemoveAllAsync(NamespaceName space, CancellationToken cancellation = default);

    /// <summary>Called, with no lock held, after a parameter has been set or taken back.</summary>
    event Action<ParameterKey>? Changed;
}
