using System.Globalization;
using System.Text;
using Dragoman.Redis.Keys;
using Dragoman.Redis.Sessions;
using Dragoman.Redis.Wire;

namespace Dragoman.Redis.Commands;

/// <summary>INFO: how the server is, in the words that client libraries look for.</summary>
internal static class InfoCommand
{
    public static Command Create() => new("info", -1, CommandFlags.None, Run);

    private static void Run(RedisSession session, Request request)
    {
        var frontEnd = session.FrontEnd;
        var text = new StringBuilder();
        foreach (var (name, write) in Sections)
        {
            var wanted = request.Count == 1;
            for (var i = 1; i < request.Count; i++)
                wanted |= request.Is(i, Encoding.ASCII.GetBytes(name.ToUpperInvariant())) || request.Is(i, "ALL"u8) || request.Is(i, "DEFAULT"u8) || request.Is(i, "EVERYTHING"u8);
            if (!wanted) continue;
            if (text.Length > 0) text.Append("\r\n");
            text.Append("# ").Append(name).Append("\r\n");
            write(frontEnd, text);
        }
        session.Reply.Verbatim(text.ToString());
    }

    private static readonly (string Name, Action<RedisFrontEnd, StringBuilder> Write)[] Sections =
    [
        ("Server", Server), ("Clients", Clients), ("Memory", Memory), ("Persistence", Persistence), ("Stats", Stats), ("Replication", Replication),
        ("CPU", Cpu), ("Cluster", static (_, text) => Line(text, "cluster_enabled", 0)), ("Keyspace", Keyspace),
    ];

    private static void Server(RedisFrontEnd frontEnd, StringBuilder text)
    {
        var uptime = frontEnd.Broker.Time.GetUtcNow() - frontEnd.StartedAt;
        Line(text, "redis_version", frontEnd.Options.Version);
        Line(text, "redis_mode", "standalone");
        Line(text, "os", Environment.OSVersion.ToString());
        Line(text, "arch_bits", 64);
        Line(text, "process_id", Environment.ProcessId);
        Line(text, "run_id", frontEnd.Broker.Id.ToString("N") + "00000000");
        Line(text, "tcp_port", frontEnd.Port);
        Line(text, "uptime_in_seconds", (long)uptime.TotalSeconds);
        Line(text, "uptime_in_days", (long)uptime.TotalDays);
        Line(text, "dragoman_version", typeof(InfoCommand).Assembly.GetName().Version!.ToString(3));
    }

    private static void Clients(RedisFrontEnd frontEnd, StringBuilder text)
    {
        Line(text, "connected_clients", frontEnd.Sessions.Count);
        Line(text, "blocked_clients", 0);
        Line(text, "pubsub_clients", frontEnd.Sessions.Values.Count(static s => s.Subscriptions.Total > 0));
    }

    private static void Memory(RedisFrontEnd frontEnd, StringBuilder text)
    {
        Line(text, "used_memory", Environment.WorkingSet);
        Line(text, "used_memory_dataset", frontEnd.Keys.UsedBytes);
        Line(text, "mem_clients_normal", frontEnd.Limits.Waiting);
        Line(text, "maxmemory", frontEnd.Keys.MaxMemory);
        Line(text, "maxmemory_policy", frontEnd.Keys.Evicts ? "allkeys-lru" : "noeviction");
    }

    private static void Persistence(RedisFrontEnd frontEnd, StringBuilder text)
    {
        Line(text, "loading", 0);
        Line(text, "async_loading", 0);
        Line(text, "rdb_bgsave_in_progress", 0);
        Line(text, "aof_enabled", 0);
        Line(text, "aof_rewrite_in_progress", 0);
    }

    private static void Stats(RedisFrontEnd frontEnd, StringBuilder text)
    {
        Line(text, "total_connections_received", frontEnd.Accepted);
        Line(text, "pubsub_channels", frontEnd.Channels.ChannelCount);
        Line(text, "pubsub_patterns", frontEnd.Channels.PatternCount);
        Line(text, "pubsubshard_channels", frontEnd.Shards.ChannelCount);
    }

    private static void Replication(RedisFrontEnd frontEnd, StringBuilder text)
    {
        Line(text, "role", "master");
        Line(text, "connected_slaves", 0);
        Line(text, "master_failover_state", "no-failover");
        Line(text, "master_replid", frontEnd.Broker.Id.ToString("N") + "00000000");
        Line(text, "master_repl_offset", 0);
    }

    private static void Cpu(RedisFrontEnd frontEnd, StringBuilder text)
    {
        var process = System.Diagnostics.Process.GetCurrentProcess();
        Line(text, "used_cpu_sys", process.PrivilegedProcessorTime.TotalSeconds.ToString("0.000000", CultureInfo.InvariantCulture));
        Line(text, "used_cpu_user", process.UserProcessorTime.TotalSeconds.ToString("0.000000", CultureInfo.InvariantCulture));
    }

    private static void Keyspace(RedisFrontEnd frontEnd, StringBuilder text)
    {
        lock (frontEnd.Keys.Lock)
        {
            for (var i = 0; i < KeyStore.Databases; i++)
                if (frontEnd.Keys[i].Count is > 0 and var count) Line(text, $"db{i}", string.Create(CultureInfo.InvariantCulture, $"keys={count},expires={frontEnd.Keys[i].Expiring},avg_ttl=0"));
        }
    }

    private static void Line(StringBuilder text, string name, string value) => text.Append(name).Append(':').Append(value).Append("\r\n");

    private static void Line(StringBuilder text, string name, long value) => Line(text, name, ReplyWriter.Text(value));
}
