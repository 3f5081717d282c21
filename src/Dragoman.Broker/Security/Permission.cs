using Dragoman.Broker.Namespaces;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Security;

/// <summary>What can be done with a resource.</summary>
[Flags]
public enum Operations
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>Consume from it.</summary>
    Read = 1,

    /// <summary>Publish to it.</summary>
    Write = 2,

    /// <summary>Create it.</summary>
    Create = 4,

    /// <summary>Delete it.</summary>
    Delete = 8,

    /// <summary>Change it.</summary>
    Alter = 16,

    /// <summary>See that it is there. Whoever may read, write, delete or alter may also see.</summary>
    Describe = 32,

    /// <summary>Act as a member of the cluster.</summary>
    ClusterAction = 64,

    /// <summary>See its configuration. Whoever may change it may also see it.</summary>
    DescribeConfigs = 128,

    /// <summary>Change its configuration.</summary>
    AlterConfigs = 256,

    /// <summary>Produce idempotently; whoever may write to any topic may.</summary>
    IdempotentWrite = 512,

    /// <summary>RabbitMQ's <c>configure</c>: create, delete and change it.</summary>
    Configure = Create | Delete | Alter | AlterConfigs,

    /// <summary>Everything.</summary>
    All = Read | Write | Create | Delete | Alter | Describe | ClusterAction | DescribeConfigs | AlterConfigs | IdempotentWrite,
}

/// <summary>What a permission is about.</summary>
public enum ResourceKind
{
    /// <summary>Topics and queues alike.</summary>
    Any = 0,

    /// <summary>Topics: exchanges, channels.</summary>
    Topic = 1,

    /// <summary>Queues and subscriptions.</summary>
    Queue = 2,

    /// <summary>Consumer groups.</summary>
    Group = 3,

    /// <summary>The cluster as a whole; its name is <c>kafka-cluster</c>, as in Kafka.</summary>
    Cluster = 4,

    /// <summary>Transactional ids.</summary>
    TransactionalId = 5,

    /// <summary>Delegation tokens, of which there are none; kept for Kafka's administrators.</summary>
    DelegationToken = 6,

    /// <summary>Users, as resources.</summary>
    User = 7,
}

/// <summary>Whether a permission gives or takes.</summary>
public enum Effect
{
    /// <summary>It allows.</summary>
    Allow = 1,

    /// <summary>It forbids, whatever allows.</summary>
    Deny = 2,
}

/// <summary>A rule of who may do what. What no rule allows is forbidden.</summary>
/// <param name="User">Whose rule it is; <see cref="Everyone"/> for all.</param>
/// <param name="Namespace">Where it holds; null everywhere.</param>
/// <param name="Kind">What it is about.</param>
/// <param name="Pattern">Which of them.</param>
/// <param name="Operations">What it allows or forbids.</param>
/// <param name="Effect">Whether it allows or forbids.</param>
/// <param name="Host">The client's address, or <see cref="AnyHost"/>.</param>
public sealed record Permission(string User, NamespaceName? Namespace, ResourceKind Kind, NamePattern Pattern, Operations Operations, Effect Effect = Effect.Allow, string Host = Permission.AnyHost)
{
    /// <summary>Stands for all users.</summary>
    public const string Everyone = "*";

    /// <summary>Stands for all addresses.</summary>
    public const string AnyHost = "*";

    /// <summary>The name of the cluster as a resource.</summary>
    public const string ClusterName = "kafka-cluster";

    /// <summary>Whether the rule speaks of a resource.</summary>
    public bool Covers(ResourceKind kind, NamespaceName? ns, string name) =>
        (Kind == kind || (Kind == ResourceKind.Any && kind is ResourceKind.Topic or ResourceKind.Queue))
        && (Namespace is null || ns is null || Namespace == ns)
        && Pattern.Matches(name);

    internal void Write(in SnapshotWriter writer)
    {
        writer.Text(User);
        writer.Bool(Namespace is not null);
        if (Namespace is not null)
        {
            writer.Text(Namespace.Tenant);
            writer.Text(Namespace.Name);
        }
        writer.Byte((byte)Kind);
        writer.Byte((byte)Pattern.Kind);
        writer.Text(Pattern.Text);
        writer.Int32((int)Operations);
        writer.Byte((byte)Effect);
        writer.Text(Host);
    }

    internal static Permission Read(ref SnapshotReader reader)
    {
        var user = reader.Text();
        var ns = reader.Bool() ? new NamespaceName(reader.Text(), reader.Text()) : null;
        return new Permission(user, ns, (ResourceKind)reader.Byte(), new NamePattern((PatternKind)reader.Byte(), reader.Text()), (Operations)reader.Int32(), (Effect)reader.Byte(), reader.Text());
    }
}
