using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Parameters;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Topics;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Policies;

/// <summary>The policies of this node. What is not committed yet is in the state, and applies to nothing.</summary>
[SuppressMessage("Naming", "CA1724", Justification = "The folder and the field's term are the same word.")]
internal sealed class Policies : IPolicies
{
    private readonly StateLog _state;
    private readonly PolicyState _machine;
    private volatile PolicyTable _table;

    public Policies(StateLog state)
    {
        _state = state;
        _machine = (PolicyState)state.Machine;
        _table = new PolicyTable(_machine.Policies.Values);
    }

    public event Action<NamespaceName>? Changed;

    /// <summary>Has queues and exchanges look anew at what applies to them; called with no lock held.</summary>
    public Action Reapply { get; set; } = static () => { };

    public IReadOnlyList<Policy> List(bool isOperator, NamespaceName? space) => [.. _table.Policies.Where(p => p.IsOperator == isOperator && (space is null || p.Namespace == space))];

    public Policy? Find(NamespaceName space, bool isOperator, string name) => _table.Policies.FirstOrDefault(p => p.IsOperator == isOperator && p.Namespace == space && p.Name == name);

    public PolicyMatch Match(IQueueHandle queue)
    {
        ArgumentNullException.ThrowIfNull(queue);
        return _table.Match(queue.Name, queue.Settings.Kind);
    }

    public PolicyMatch Match(TopicName exchange)
    {
        ArgumentNullException.ThrowIfNull(exchange);
        return _table.Match(exchange);
    }

    /// <summary>The settings by which a queue works that was declared with some. It takes no lock.</summary>
    public QueueSettings EffectOn(QueueName queue, QueueSettings declared) => PolicyEffect.Apply(declared, _table.Match(queue, declared.Kind).Definition);

    /// <summary>The topic that policies say gets what no route of an exchange takes; null for none. It takes no lock.</summary>
    public string? AlternateOf(TopicName exchange) => _table.Match(exchange).Definition.TryGetValue("alternate-exchange", out var alternate) ? alternate.GetString() : null;

    public async ValueTask<ParameterAnswer> SetAsync(NamespaceName space, bool isOperator, string name, JsonElement value, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(space);
        ArgumentNullException.ThrowIfNull(name);
        var (policy, wrong) = PolicyValidation.Read(space, isOperator, name, value);
        if (policy is null) return Parameters.Parameters.Invalid(wrong);
        return await ExecuteAsync(
            space,
            commit =>
            {
                _state.Emit(commit, PolicyState.Put(policy));
                return new ParameterAnswer(ParameterStatus.Ok);
            },
            policy.EncodedSize, urgent: false, cancellation);
    }

    public async ValueTask<ParameterAnswer> RemoveAsync(NamespaceName space, bool isOperator, string name, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(space);
        ArgumentNullException.ThrowIfNull(name);
        var key = new PolicyState.Key(space, isOperator, name);
        return await ExecuteAsync(
            space,
            commit =>
            {
                if (!_machine.Policies.ContainsKey(key)) return new ParameterAnswer(ParameterStatus.NotFound);
                _state.Emit(commit, PolicyState.Remove(key));
                return new ParameterAnswer(ParameterStatus.Ok);
            },
            SizeOf(key), urgent: true, cancellation);
    }

    public async ValueTask<ParameterAnswer> RemoveAllAsync(NamespaceName space, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(space);
        List<PolicyState.Key> keys = [.. _table.Policies.Where(p => p.Namespace == space).Select(PolicyState.KeyOf)];
        if (keys.Count == 0) return new ParameterAnswer(ParameterStatus.Ok);
        return await ExecuteAsync(
            space,
            commit =>
            {
                foreach (var key in keys)
                    if (_machine.Policies.ContainsKey(key)) _state.Emit(commit, PolicyState.Remove(key));
                return new ParameterAnswer(ParameterStatus.Ok);
            },
            keys.Sum(SizeOf), urgent: true, cancellation);
    }

    private async ValueTask<ParameterAnswer> ExecuteAsync(NamespaceName space, Func<Commit, ParameterAnswer> decide, int size, bool urgent, CancellationToken cancellation)
    {
        ParameterAnswer answer;
        try
        {
            answer = await _state.ExecuteAsync(CommitMode.Fsync, decide, Store.TypicalCommandBytes + size, urgent, cancellation);
        }
        catch (StorageFullException error)
        {
            return new ParameterAnswer(ParameterStatus.Full, error.Message);
        }
        catch (StoreFailedException error)
        {
            return new ParameterAnswer(ParameterStatus.StorageError, error.Message);
        }
        if (answer.Status != ParameterStatus.Ok) return answer;
        lock (_state.Lock) _table = new PolicyTable(_machine.Policies.Values);
        Reapply();
        Changed?.Invoke(space);
        return answer;
    }

    private static int SizeOf(PolicyState.Key key) => 64 + 3 * (key.Namespace.Tenant.Length + key.Namespace.Name.Length + key.Name.Length);
}
