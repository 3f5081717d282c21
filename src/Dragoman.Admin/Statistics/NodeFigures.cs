using System.Globalization;
using System.Runtime.InteropServices;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Statistics;

namespace Dragoman.Admin.Statistics;

/// <summary>Reads the figures of queues, namespaces and the node as they are now.</summary>
internal sealed class NodeFigures(AdminNode node)
{
    private static readonly TimeSpan DescriptorAge = TimeSpan.FromSeconds(4);

    private readonly Lock _lock = new();
    private long _openFiles;
    private long _openFilesAt;

    /// <summary>Bytes of memory that the process may use: what its control group, or the machine, has.</summary>
    public static long MemoryLimit => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;

    /// <summary>How many files the process may open.</summary>
    public static long MaxOpenFiles { get; } = ReadMaxOpenFiles();

    /// <summary>How many threads the pool may have.</summary>
    public static long MaxThreads
    {
        get
        {
            ThreadPool.GetMaxThreads(out var workers, out _);
            return workers;
        }
    }

    /// <summary>The namespaces: the default one and those that were made.</summary>
    public IEnumerable<NamespaceName> Namespaces
    {
        get
        {
            yield return NamespaceName.Default;
            foreach (var space in node.Broker.Namespaces.List())
                if (space.Name != NamespaceName.Default) yield return space.Name;
        }
    }

    /// <summary>The figures of a queue: see <see cref="Figures.OfQueue"/>.</summary>
    public static void Read(IQueueHandle queue, Span<long> values)
    {
        values.Clear();
        queue.Counters.AddTo(values[..MessageCounters.Count]);
        var counts = CountsOf(queue);
        Fill(counts.Ready, counts.Unacknowledged, values);
    }

    /// <summary>Messages of a queue as RabbitMQ knows them: delayed ones are ready to it, since it has no other word.</summary>
    public static (long Ready, long Unacknowledged, int Consumers) CountsOf(IQueueHandle queue)
    {
        var counting = queue.GetCountsAsync();
        // Where the queue is on this node the answer is there at once.
        var counts = counting.IsCompletedSuccessfully ? counting.Result : counting.AsTask().GetAwaiter().GetResult();
        return (counts.Ready + counts.Delayed, counts.Leased, counts.Consumers);
    }

    /// <summary>The figures of a namespace: see <see cref="Figures.OfNamespace"/>.</summary>
    public void Read(NamespaceName space, Span<long> values) => ReadSums(space, values);

    /// <summary>The figures of the node: see <see cref="Figures.OfNode"/>.</summary>
    public void Read(Span<long> values)
    {
        ReadSums(null, values[..Figures.OfNamespace]);
        var connections = node.Connections;
        var statistics = node.Broker.Statistics;
        var store = node.Broker.Store;
        values[Figures.ConnectionsOpened] = connections.Opened;
        values[Figures.ConnectionsClosed] = connections.Closed;
        values[Figures.ChannelsOpened] = connections.ChannelsOpened;
        values[Figures.ChannelsClosed] = connections.ChannelsClosed;
        values[Figures.QueuesDeclared] = statistics.QueuesDeclared;
        values[Figures.QueuesCreated] = statistics.QueuesCreated;
        values[Figures.QueuesDeleted] = statistics.QueuesDeleted;
        values[Figures.Memory] = Environment.WorkingSet;
        values[Figures.OpenFiles] = OpenFiles();
        values[Figures.Sockets] = connections.Count;
        values[Figures.Threads] = ThreadPool.ThreadCount;
        values[Figures.DiskFree] = store.FreeBytes;
        values[Figures.Collections] = GC.CollectionCount(0);
        values[Figures.AllocatedBytes] = GC.GetTotalAllocatedBytes();
        values[Figures.JournalWrites] = store.JournalCounters.Rounds;
        values[Figures.JournalBytes] = store.JournalCounters.Bytes;
        values[Figures.JournalSyncs] = store.JournalCounters.Syncs;
    }

    /// <summary>Open files of the process, sockets among them; 0 where the system does not tell.</summary>
    public long OpenFiles()
    {
        if (!RuntimeInformation.IsOSPlatform(OSPlatform.Linux)) return 0;
        var now = Environment.TickCount64;
        lock (_lock)
        {
            // With thousands of connections counting takes a while.
            if (_openFilesAt != 0 && now - _openFilesAt < DescriptorAge.TotalMilliseconds) return _openFiles;
            _openFilesAt = now;
            _openFiles = Directory.EnumerateFileSystemEntries("/proc/self/fd").LongCount();
            return _openFiles;
        }
    }

    private void ReadSums(NamespaceName? space, Span<long> values)
    {
        values.Clear();
        var broker = node.Broker;
        broker.Statistics.Sum(broker.Queues, space, values[..MessageCounters.Count]);
        long ready = 0;
        long unacknowledged = 0;
        foreach (var queue in broker.Queues.All)
        {
            if (space is not null && queue.Name.Namespace != space) continue;
            var counts = CountsOf(queue);
            ready += counts.Ready;
            unacknowledged += counts.Unacknowledged;
        }
        Fill(ready, unacknowledged, values);
        foreach (var connection in node.Connections.All)
        {
            if (space is not null && connection.Namespace != space) continue;
            values[Figures.Received] += connection.ReceivedBytes;
            values[Figures.Sent] += connection.SentBytes;
        }
    }

    private static long ReadMaxOpenFiles()
    {
        const string Limits = "/proc/self/limits";
        if (!File.Exists(Limits)) return 0;
        foreach (var line in File.ReadLines(Limits))
            if (line.StartsWith("Max open files", StringComparison.Ordinal) && line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, _, _, var soft, ..])
                return long.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var limit) ? limit : long.MaxValue;
        return 0;
    }

    private static void Fill(long ready, long unacknowledged, Span<long> values)
    {
        values[Figures.Messages] = ready + unacknowledged;
        values[Figures.Ready] = ready;
        values[Figures.Unacknowledged] = unacknowledged;
    }
}
