using Dragoman.Broker.Statistics;

namespace Dragoman.Admin.Statistics;

/// <summary>Where each value is in what the sampler looks at: first those of <see cref="MessageCounter"/>, then these.</summary>
internal static class Figures
{
    /// <summary>Messages in queues, in whatever state. Queues, namespaces, the node.</summary>
    public const int Messages = MessageCounters.Count;

    /// <summary>Messages that can be delivered.</summary>
    public const int Ready = Messages + 1;

    /// <summary>Messages that were delivered and are not settled.</summary>
    public const int Unacknowledged = Ready + 1;

    /// <summary>How many values there are of a queue.</summary>
    public const int OfQueue = Unacknowledged + 1;

    /// <summary>Bytes received on connections. Namespaces and the node.</summary>
    public const int Received = OfQueue;

    /// <summary>Bytes sent.</summary>
    public const int Sent = Received + 1;

    /// <summary>How many values there are of a namespace.</summary>
    public const int OfNamespace = Sent + 1;

    /// <summary>Connections accepted. From here on of the node.</summary>
    public const int ConnectionsOpened = OfNamespace;

    /// <summary>Connections gone.</summary>
    public const int ConnectionsClosed = ConnectionsOpened + 1;

    /// <summary>Channels opened.</summary>
    public const int ChannelsOpened = ConnectionsClosed + 1;

    /// <summary>Channels gone.</summary>
    public const int ChannelsClosed = ChannelsOpened + 1;

    /// <summary>Declarations of queues.</summary>
    public const int QueuesDeclared = ChannelsClosed + 1;

    /// <summary>Queues made.</summary>
    public const int QueuesCreated = QueuesDeclared + 1;

    /// <summary>Queues deleted.</summary>
    public const int QueuesDeleted = QueuesCreated + 1;

    /// <summary>Bytes of memory in use.</summary>
    public const int Memory = QueuesDeleted + 1;

    /// <summary>Open files, sockets among them.</summary>
    public const int OpenFiles = Memory + 1;

    /// <summary>Open connections.</summary>
    public const int Sockets = OpenFiles + 1;

    /// <summary>Threads.</summary>
    public const int Threads = Sockets + 1;

    /// <summary>Bytes free on the volume.</summary>
    public const int DiskFree = Threads + 1;

    /// <summary>Garbage collections.</summary>
    public const int Collections = DiskFree + 1;

    /// <summary>Bytes that collections have gone over.</summary>
    public const int AllocatedBytes = Collections + 1;

    /// <summary>Rounds of the journal: each is one write, and one sync where that was asked for.</summary>
    public const int JournalWrites = AllocatedBytes + 1;

    /// <summary>Bytes written to the journal.</summary>
    public const int JournalBytes = JournalWrites + 1;

    /// <summary>Times that the journal was made durable.</summary>
    public const int JournalSyncs = JournalBytes + 1;

    /// <summary>How many values there are of the node.</summary>
    public const int OfNode = JournalSyncs + 1;

    /// <summary>Of a connection: bytes received, bytes sent.</summary>
    public const int ConnectionReceived = 0;

    /// <inheritdoc cref="ConnectionReceived"/>
    public const int ConnectionSent = 1;

    /// <summary>How many values there are of a connection.</summary>
    public const int OfConnection = 2;
}
