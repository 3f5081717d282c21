using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Dragoman.Storage;
using Dragoman.Storage.Journal;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Quotas;

/// <summary>The quotas of this node, and the meters behind them.</summary>
[SuppressMessage("Naming", "CA1724", Justification = "The folder and the field's term are the same word.")]
internal sealed class Quotas : IQuotas
{
    private const int ManyMeters = 1000;
    private const long ForgetAfterMs = 3_600_000;

    private readonly StateLog _state;
    private readonly QuotaRegistry _registry;
    private readonly TimeProvider _time;
    private readonly long _start;
    private readonly ConcurrentDictionary<MeterKey, RateMeter> _rates = new();
    private readonly ConcurrentDictionary<MeterKey, TokenBucket> _buckets = new();
    private volatile Dictionary<QuotaEntity, SortedDictionary<QuotaKind, double>>? _quotas;
    private int _meters;

    /// <summary>Whose use is measured together.</summary>
    private readonly record struct MeterKey(QuotaKind Kind, string? User, string? ClientId);

    public Quotas(StateLog state, TimeProvider time)
    {
        _state = state;
        _registry = (QuotaRegistry)state.Machine;
        _time = time;
        _start = time.GetTimestamp();
        lock (state.Lock) Publish();
    }

    public bool Any => _quotas is not null;

    private long Now => (long)_time.GetElapsedTime(_start).TotalMilliseconds;

    public IReadOnlyList<QuotaChange> List()
    {
        var all = new List<QuotaChange>();
        foreach (var (entity, quotas) in _quotas ?? [])
            foreach (var (kind, limit) in quotas) all.Add(new QuotaChange(entity, kind, limit));
        return all;
    }

    public async ValueTask<(QuotaStatus Status, string? Message)> ChangeAsync(IReadOnlyList<QuotaChange> changes, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(changes);
        var size = Store.TypicalCommandBytes;
        foreach (var change in changes) size += 128 + 3 * ((change.Entity.User?.Name?.Length ?? 0) + (change.Entity.ClientId?.Name?.Length ?? 0) + (change.Entity.Address?.Name?.Length ?? 0));
        try
        {
            await _state.ExecuteAsync(CommitMode.Fsync, commit =>
            {
                foreach (var change in changes) _state.Emit(commit, QuotaRegistry.Changed(change));
                return true;
            }, size, urgent: false, cancellation);
        }
        catch (StorageFullException error)
        {
            return (QuotaStatus.Full, error.Message);
        }
        catch (StoreFailedException error)
        {
            return (QuotaStatus.StorageError, error.Message);
        }
        lock (_state.Lock) Publish();
        return (QuotaStatus.Ok, null);
    }

    /// <summary>Lets everybody see what the registry says.</summary>
    private void Publish()
    {
        var copy = new Dictionary<QuotaEntity, SortedDictionary<QuotaKind, double>>();
        foreach (var (entity, quotas) in _registry.All) copy.Add(entity, new SortedDictionary<QuotaKind, double>(quotas));
        _quotas = copy.Count == 0 ? null : copy;
    }

    public TimeSpan Record(QuotaKind kind, string user, string clientId, long bytes)
    {
        if (Find(kind, user, clientId) is not var (key, limit)) return TimeSpan.Zero;
        return TimeSpan.FromMilliseconds(Meter(key).Record(bytes, limit, Now));
    }

    public void Return(QuotaKind kind, string user, string clientId, long bytes)
    {
        if (Find(kind, user, clientId) is var (key, _) && _rates.TryGetValue(key, out var meter)) meter.Return(bytes);
    }

    public long? LargestBurst(QuotaKind kind, string user, string clientId) =>
        Find(kind, user, clientId) is var (_, limit) ? (long)Math.Clamp(RateMeter.Burst(limit), 1, int.MaxValue) : null;

    public (bool Allowed, TimeSpan Wait) TakeChanges(string user, string clientId, int partitions, bool strict)
    {
        if (Find(QuotaKind.PartitionChanges, user, clientId) is not var (key, limit)) return (true, TimeSpan.Zero);
        var now = Now;
        if (!_buckets.TryGetValue(key, out var bucket))
        {
            MakeRoom(now);
            bucket = _buckets.GetOrAdd(key, static (_, at) => new TokenBucket(at), now);
        }
        var (taken, wait) = bucket.Take(partitions, limit, strict, now);
        return (taken, TimeSpan.FromMilliseconds(wait));
    }

    public TimeSpan RecordConnection(string address)
    {
        if (_quotas is not { } quotas) return TimeSpan.Zero;
        var limit = Limit(quotas, new QuotaEntity(null, null, new QuotaName(address)), QuotaKind.Connections)
            ?? Limit(quotas, new QuotaEntity(null, null, new QuotaName(null)), QuotaKind.Connections);
        if (limit is not { } connections) return TimeSpan.Zero;
        var meter = Meter(new MeterKey(QuotaKind.Connections, address, null));
        var wait = meter.Record(1, connections, Now);
        // A connection that is turned away does not count.
        if (wait > 0) meter.Return(1);
        return TimeSpan.FromMilliseconds(wait);
    }

    /// <summary>The quota that counts for a client, and with whom it shares it.</summary>
    private (MeterKey Key, double Limit)? Find(QuotaKind kind, string user, string clientId)
    {
        if (_quotas is not { } quotas) return null;
        var (anyUser, anyClient) = (new QuotaName(null), new QuotaName(null));
        var (thisUser, thisClient) = (new QuotaName(user), new QuotaName(clientId));
        if ((Limit(quotas, new(thisUser, thisClient, null), kind) ?? Limit(quotas, new(thisUser, anyClient, null), kind)) is { } both)
            return (new MeterKey(kind, user, clientId), both);
        if (Limit(quotas, new(thisUser, null, null), kind) is { } ofUser) return (new MeterKey(kind, user, null), ofUser);
        if ((Limit(quotas, new(anyUser, thisClient, null), kind) ?? Limit(quotas, new(anyUser, anyClient, null), kind)) is { } ofClientOfAny)
            return (new MeterKey(kind, user, clientId), ofClientOfAny);
        if (Limit(quotas, new(anyUser, null, null), kind) is { } ofAny) return (new MeterKey(kind, user, null), ofAny);
        if ((Limit(quotas, new(null, thisClient, null), kind) ?? Limit(quotas, new(null, anyClient, null), kind)) is { } ofClient)
            return (new MeterKey(kind, null, clientId), ofClient);
        return null;
    }

    private static double? Limit(Dictionary<QuotaEntity, SortedDictionary<QuotaKind, double>> quotas, QuotaEntity entity, QuotaKind kind) =>
        quotas.TryGetValue(entity, out var limits) && limits.TryGetValue(kind, out var limit) ? limit : null;

    private RateMeter Meter(MeterKey key)
    {
        if (_rates.TryGetValue(key, out var meter)) return meter;
        var now = Now;
        MakeRoom(now);
        return _rates.GetOrAdd(key, static (_, at) => new RateMeter(at), now);
    }

    /// <summary>Forgets meters that were not used for long: clients may call themselves something new with each connection.</summary>
    private void MakeRoom(long now)
    {
        if (Interlocked.Increment(ref _meters) % ManyMeters != 0) return;
        foreach (var (key, meter) in _rates)
            if (now - meter.LastUsed > ForgetAfterMs) _rates.TryRemove(key, out _);
        foreach (var (key, bucket) in _buckets)
            if (now - bucket.LastUsed > ForgetAfterMs) _buckets.TryRemove(key, out _);
    }
}
