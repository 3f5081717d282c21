using System.Buffers;
using Dragoman.Broker.Namespaces;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Policies;

/// <summary>Which policies there are: the state machine behind <see cref="Policies"/>.</summary>
internal sealed class PolicyState : IStateMachine
{
    private const byte Version = 1;

    private readonly Dictionary<Key, Policy> _policies = [];

    private enum Kind : byte
    {
        Put = 1,
        Remove = 2,
    }

    /// <summary>What tells policies apart.</summary>
    internal readonly record struct Key(NamespaceName Namespace, bool IsOperator, string Name);

    public IReadOnlyDictionary<Key, Policy> Policies => _policies;

    /// <summary>The event by which there is a policy.</summary>
    public static ReadOnlySpan<byte> Put(Policy policy)
    {
        var buffer = Begin(Kind.Put, out var writer);
        policy.Write(writer);
        return buffer.WrittenSpan;
    }

    /// <summary>The event by which a policy is gone.</summary>
    public static ReadOnlySpan<byte> Remove(Key key)
    {
        var buffer = Begin(Kind.Remove, out var writer);
        writer.Text(key.Namespace.Tenant);
        writer.Text(key.Namespace.Name);
        writer.Bool(key.IsOperator);
        writer.Text(key.Name);
        return buffer.WrittenSpan;
    }

    public void Apply(ReadOnlySpan<byte> evt)
    {
        var reader = new SnapshotReader(evt);
        reader.Version(Version, "policy event");
        switch ((Kind)reader.Byte())
        {
            case Kind.Put:
                var policy = Policy.Read(ref reader);
                _policies[KeyOf(policy)] = policy;
                break;
            case Kind.Remove:
                Invariant.Check(_policies.Remove(new Key(new NamespaceName(reader.Text(), reader.Text()), reader.Bool(), reader.Text())), "only what is there is removed");
                break;
            case var other:
                throw new CorruptDataException($"A policy event of kind {(byte)other} is unknown.");
        }
        reader.End("policy event");
    }

    public void WriteSnapshot(IBufferWriter<byte> target)
    {
        var writer = new SnapshotWriter(target);
        writer.Byte(Version);
        writer.Int32(_policies.Count);
        foreach (var policy in _policies.Values) policy.Write(writer);
    }

    public void ReadSnapshot(ReadOnlySpan<byte> source)
    {
        var reader = new SnapshotReader(source);
        reader.Version(Version, "policies");
        _policies.Clear();
        for (var n = reader.Count(); n > 0; n--)
        {
            var policy = Policy.Read(ref reader);
            _policies.Add(KeyOf(policy), policy);
        }
        reader.End("policies");
    }

    internal static Key KeyOf(Policy policy) => new(policy.Namespace, policy.IsOperator, policy.Name);

    private static ArrayBufferWriter<byte> Begin(Kind kind, out SnapshotWriter writer)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        writer = new SnapshotWriter(buffer);
        writer.Byte(Version);
        writer.Byte((byte)kind);
        return buffer;
    }
}
