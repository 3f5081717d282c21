using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dragoman.Clients.Tests.Clients;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Kafka;

/// <summary>A member of a group in a process of its own, with a client of another language. It commits each record before it tells of it.</summary>
internal sealed class ScriptedMember : IAsyncDisposable
{
    private readonly ForeignProcess _process;
    private readonly Task _reading;
    private readonly Lock _lock = new();
    private readonly List<string> _read = [];
    private int[] _assigned = [];
    private bool _ended;
    private bool _disposed;

    private ScriptedMember(ForeignProcess process)
    {
        _process = process;
        _reading = ReadAsync();
    }

    /// <summary>The partitions that it has.</summary>
    public IReadOnlyList<int> Assigned
    {
        get
        {
            lock (_lock) return _assigned;
        }
    }

    /// <summary>The values that it has read, in order.</summary>
    public IReadOnlyList<string> Read
    {
        get
        {
            lock (_lock) return [.. _read];
        }
    }

    /// <summary>Starts a member.</summary>
    public static ScriptedMember Start<TClient>(string broker, object options)
        where TClient : IKafkaScript =>
        new(TClient.Start(["member", broker, JsonSerializer.Serialize(options)]));

    /// <summary>Waits until members share out a number of partitions among them, each of them having some.</summary>
    public static Task SharedOutAsync(int partitions, params ScriptedMember[] members) => Eventually.TrueAsync(
        () =>
        {
            if (members.FirstOrDefault(m => !m._disposed && m._process.HasExited) is { } ended) throw new InvalidOperationException($"A member ended: {ended._process.Error}");
            return members.All(m => m.Assigned.Count > 0) && members.SelectMany(m => m.Assigned).Distinct().Count() == partitions && members.Sum(m => m.Assigned.Count) == partitions;
        },
        $"{members.Length} members have {partitions} partitions", TimeSpan.FromSeconds(90));

    /// <summary>Has it leave the group in good order.</summary>
    public async Task LeaveAsync()
    {
        _process.Input.Close();
        (await _process.WaitAsync()).Succeeded();
        await _reading;
        _ended = true;
    }

    /// <summary>Ends it, unless it has left, as a process that is killed ends.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_disposed) return;
        _disposed = true;
        if (!_ended) await _process.KillAsync();
        await _process.DisposeAsync();
        await _reading;
    }

    private async Task ReadAsync()
    {
        while (await _process.ReadLineAsync(Timeout.InfiniteTimeSpan) is { } line)
        {
            var told = JsonNode.Parse(line)!;
            lock (_lock)
            {
                if (told["assigned"] is { } assigned) _assigned = [.. assigned.AsArray().Select(p => (int)p!)];
                else _read.Add(Encoding.UTF8.GetString(Convert.FromBase64String((string)told["value"]!)));
            }
        }
    }
}
