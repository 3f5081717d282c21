using System.Buffers;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Quotas;

/// <summary>Which quotas there are: the state machine behind <see cref="Quotas"/>.</summary>
internal sealed class QuotaRegistry : IStateMachine
{
    private const byte Version = 1;

    private readonly Dictionary<QuotaEntity, SortedDictionary<QuotaKind, double>> _quotas = [];

    public IReadOnlyDictionary<QuotaEntity, SortedDictionary<QuotaKind, double>> All => _quotas;

    /// <summary>The event by which a quota is set or removed.</summary>
    public static ReadOnlySpan<byte> Changed(in QuotaChange change)
    {
        var buffer = new ArrayBufferWriter<byte>(64);
        var writer = new SnapshotWriter(buffer);
        writer.Byte(Version);
        Write(writer, change.Entity);
        writer.Byte((byte)change.Kind);
        writer.Bool(change.Limit is not null);
        writer.Int64(BitConverter.DoubleToInt64Bits(change.Limit ?? 0));
        return buffer.WrittenSpan;
    }

    public void Apply(ReadOnlySpan<byte> evt)
    {
        var reader = new SnapshotReader(evt);
        reader.Version(Version, "quota event");
        var entity = ReadEntity(ref reader);
        var kind = (QuotaKind)reader.Byte();
        var isSet = reader.Bool();
        var limit = BitConverter.Int64BitsToDouble(reader.Int64());
        reader.End("quota event");
        if (isSet)
        {
            if (!_quotas.TryGetValue(entity, out var quotas)) _quotas.Add(entity, quotas = []);
            quotas[kind] = limit;
        }
        else if (_quotas.TryGetValue(entity, out var quotas) && quotas.Remove(kind) && quotas.Count == 0)
        {
            _quotas.Remove(entity);
        }
    }

    public void WriteSnapshot(IBufferWriter<byte> target)
    {
        var writer = new SnapshotWriter(target);
        writer.Byte(Version);
        writer.Int32(_quotas.Count);
        foreach (var (entity, quotas) in _quotas)
        {
            Write(writer, entity);
            writer.Int32(quotas.Count);
            foreach (var (kind, limit) in quotas)
            {
                writer.Byte((byte)kind);
                writer.Int64(BitConverter.DoubleToInt64Bits(limit));
            }
        }
    }

    public void ReadSnapshot(ReadOnlySpan<byte> source)
    {
        var reader = new SnapshotReader(source);
        reader.Version(Version, "quotas");
        _quotas.Clear();
        for (var n = reader.Count(); n > 0; n--)
        {
            var entity = ReadEntity(ref reader);
            var quotas = new SortedDictionary<QuotaKind, double>();
            for (var k = reader.Count(); k > 0; k--) quotas[(QuotaKind)reader.Byte()] = BitConverter.Int64BitsToDouble(reader.Int64());
            _quotas.Add(entity, quotas);
        }
        reader.End("quotas");
    }

    private static void Write(in SnapshotWriter writer, QuotaEntity entity)
    {
        Write(writer, entity.User);
        Write(writer, entity.ClientId);
        Write(writer, entity.Address);
    }

    private static void Write(in SnapshotWriter writer, QuotaName? part)
    {
        writer.Byte(part is not { } name ? (byte)0 : name.Name is null ? (byte)1 : (byte)2);
        if (part?.Name is { } text) writer.Text(text);
    }

    private static QuotaEntity ReadEntity(ref SnapshotReader reader) => new(ReadName(ref reader), ReadName(ref reader), ReadName(ref reader));

    private static QuotaName? ReadName(ref SnapshotReader reader) => reader.Byte() switch
    {
        0 => null,
        1 => new QuotaName(null),
        2 => new QuotaName(reader.Text()),
        var other => throw new CorruptDataException($"A part {other} of a quota's entity is unknown."),
    };
}
