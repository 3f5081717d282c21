using System.Collections.Concurrent;
using System.Net;
using Dragoman.Broker.Statistics;

namespace Dragoman.Protocols.Connections;

/// <summary>
/// The connections of this node, whatever they speak, and what was counted by protocol. Being listed costs a connection
/// nothing but coming and going; who lists reads what each one counts for itself.
/// </summary>
/// <param name="time">The clock.</param>
public sealed class ConnectionRegistry(TimeProvider time)
{
    private readonly ConcurrentDictionary<long, LiveConnection> _connections = new();
    private readonly Lock _countersLock = new();
    private readonly Lock _trafficLock = new();
    private readonly Dictionary<string, Protocol> _protocols = new(StringComparer.Ordinal);
    private Traffic _gone;
    private long _opened;
    private long _closed;
    private long _channelsOpened;
    private long _channelsClosed;

    /// <summary>Counters that are there, and the sums of those that were.</summary>
    private sealed class Protocol
    {
        public HashSet<MessageCounters> Live { get; } = [];

        public long[] Gone { get; } = new long[MessageCounters.Count];
    }

    /// <summary>Connections accepted since the start.</summary>
    public long Opened => Interlocked.Read(ref _opened);

    /// <summary>Connections of those that are gone.</summary>
    public long Closed => Interlocked.Read(ref _closed);

    /// <summary>Channels opened since the start.</summary>
    public long ChannelsOpened => Interlocked.Read(ref _channelsOpened);

    /// <summary>Channels of those that are gone.</summary>
    public long ChannelsClosed => Interlocked.Read(ref _channelsClosed);

    /// <summary>How many connections there are.</summary>
    public long Count => Closed is var closed ? Opened - closed : 0;

    /// <summary>The connections that are there, in no order.</summary>
    public IEnumerable<LiveConnection> All
    {
        get
        {
            foreach (var (_, connection) in _connections) yield return connection;
        }
    }

    /// <summary>What went over connections since the start; it never falls.</summary>
    public Traffic Traffic
    {
        get
        {
            lock (_trafficLock)
            {
                var sum = _gone;
                foreach (var (_, connection) in _connections) sum = sum.With(connection);
                return sum;
            }
        }
    }

    internal DateTimeOffset Now => time.GetUtcNow();

    /// <summary>Finds a connection by its name.</summary>
    public LiveConnection? Find(string name)
    {
        foreach (var (_, connection) in _connections)
            if (connection.Name == name) return connection;
        return null;
    }

    /// <summary>Lists a connection.</summary>
    /// <param name="protocol">What it speaks.</param>
    /// <param name="local">The address that the client reached.</param>
    /// <param name="peer">Where the client is.</param>
    /// <param name="abort">Closes the socket, with a reason for the log.</param>
    public LiveConnection Add(string protocol, EndPoint? local, EndPoint? peer, Action<string> abort)
    {
        var connection = new LiveConnection(this, Interlocked.Increment(ref _opened), protocol, local, peer, abort);
        _connections[connection.Number] = connection;
        return connection;
    }

    /// <summary>Lists a connection no longer.</summary>
    public void Remove(LiveConnection connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        lock (_trafficLock)
        {
            if (!_connections.TryRemove(connection.Number, out _)) return;
            _gone = _gone.With(connection);
        }
        Interlocked.Increment(ref _closed);
    }

    /// <summary>Counters for a channel, which count for its protocol, too.</summary>
    public MessageCounters OpenChannel(string protocol)
    {
        Interlocked.Increment(ref _channelsOpened);
        return Attach(protocol);
    }

    /// <summary>A channel is gone; what it counted stays in its protocol's sums.</summary>
    public void CloseChannel(string protocol, MessageCounters counters)
    {
        Interlocked.Increment(ref _channelsClosed);
        Detach(protocol, counters);
    }

    /// <summary>Counters that count for a protocol.</summary>
    public MessageCounters Attach(string protocol)
    {
        var counters = new MessageCounters();
        lock (_countersLock)
        {
            if (!_protocols.TryGetValue(protocol, out var known)) _protocols[protocol] = known = new Protocol();
            known.Live.Add(counters);
        }
        return counters;
    }

    /// <summary>Counters that count no longer; their values stay in the sums.</summary>
    public void Detach(string protocol, MessageCounters counters)
    {
        ArgumentNullException.ThrowIfNull(counters);
        lock (_countersLock)
        {
            if (_protocols.TryGetValue(protocol, out var known) && known.Live.Remove(counters)) counters.AddTo(known.Gone);
        }
    }

    /// <summary>The protocols that something was counted for, and the sums, one for each counter; they never fall.</summary>
    public IReadOnlyList<(string Protocol, long[] Totals)> SumProtocols()
    {
        lock (_countersLock)
        {
            var sums = new List<(string, long[])>(_protocols.Count);
            foreach (var (name, protocol) in _protocols)
            {
                var totals = (long[])protocol.Gone.Clone();
                foreach (var counters in protocol.Live) counters.AddTo(totals);
                sums.Add((name, totals));
            }
            return sums;
        }
    }
}
