using System.Text.Json;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Parameters;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Topics;

namespace Dragoman.Broker.Policies;

/// <summary>What policies say of a queue or exchange.</summary>
/// <param name="Policy">The policy that applies; null for none.</param>
/// <param name="Operator">The operator policy that applies; null for none.</param>
/// <param name="Definition">The settings of both, merged.</param>
public sealed record PolicyMatch(Policy? Policy, Policy? Operator, IReadOnlyDictionary<string, JsonElement> Definition);

/// <summary>
/// Policies: settings for queues and exchanges by their names, which apply at once to those that are there and to those that
/// come, and end to apply when the policy is gone (rabbitmq.com, "Policies"). A queue keeps what it was declared with; where
/// that and a policy differ, the declaration wins or the lower of two limits counts. Changes are answered when they are on
/// disk and apply.
/// </summary>
public interface IPolicies
{
    /// <summary>The policies, in the order of namespace and name.</summary>
    /// <param name="isOperator">Whether the operators'.</param>
    /// <param name="space">Those of one namespace alone; null for all.</param>
    IReadOnlyList<Policy> List(bool isOperator, NamespaceName? space = null);

    /// <summary>A policy; null if there is none of that name.</summary>
    Policy? Find(NamespaceName space, bool isOperator, string name);

    /// <summary>Sets a policy.</summary>
    /// <param name="space">The namespace.</param>
    /// <param name="isOperator">Whether it is an operator's.</param>
    /// <param name="name">Its name.</param>
    /// <param name="value">An object: <c>pattern</c>, <c>definition</c>, <c>priority</c> (0) and <c>apply-to</c> (all).</param>
    /// <param name="cancellation">Ends the wait for admission.</param>
    ValueTask<ParameterAnswer> SetAsync(NamespaceName space, bool isOperator, string name, JsonElement value, CancellationToken cancellation = default);

    /// <summary>Takes a policy back.</summary>
    ValueTask<ParameterAnswer> RemoveAsync(NamespaceName space, bool isOperator, string name, CancellationToken cancellation = default);

    /// <summary>Takes back all policies of a namespace that goes.</summary>
    ValueTask<ParameterAnswer> RemoveAllAsync(NamespaceName space, CancellationToken cancellation = default);

    /// <summary>What applies to a queue.</summary>
    PolicyMatch Match(IQueueHandle queue);

    /// <summary>What applies to an exchange.</summary>
    PolicyMatch Match(TopicName exchange);

    /// <summary>Called, with no lock held, after the policies of a namespace have changed and apply.</summary>
    event Action<NamespaceName>? Changed;
}
