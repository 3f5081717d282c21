using System.Buffers;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Routing.Forwarding;

/// <summary>
/// How far routes have carried the records of each log. An entry stays when the last route goes, and until the log goes:
/// so no record is carried twice, whatever becomes of routes.
/// </summary>
internal sealed class ForwardingState : IStateMachine
{
    public const int EventSize = 18;

    private const byte Version = 1;

    private readonly Dictionary<long, long> _next = [];

    private enum Kind : byte
    {
        Advance = 1,
        Forget = 2,
    }

    /// <summary>The logs of which there is an entry.</summary>
    public IReadOnlyCollection<long> Logs => _next.Keys;

    /// <summary>The first offset of a log that was not carried on; 0 if none was.</summary>
    public long NextOf(long log) => _next.GetValueOrDefault(log);

    /// <summary>The event by which records have been carried on.</summary>
    /// <param name="log">The log.</param>
    /// <param name="next">The first offset that was not.</param>
    public static ReadOnlySpan<byte> Advance(long log, long next)
    {
        var buffer = Begin(Kind.Advance, out var writer);
        writer.Int64(log);
        writer.Int64(next);
        return buffer.WrittenSpan;
    }

    /// <summary>The event by which a log is gone.</summary>
    public static ReadOnlySpan<byte> Forget(long log)
    {
        var buffer = Begin(Kind.Forget, out var writer);
        writer.Int64(log);
        return buffer.WrittenSpan;
    }

    public void Apply(ReadOnlySpan<byte> evt)
    {
        var reader = new SnapshotReader(evt);
        reader.Version(Version, "forwarding event");
        switch ((Kind)reader.Byte())
        {
            case Kind.Advance:
                var log = reader.Int64();
                var next = reader.Int64();
                Invariant.Check(next > NextOf(log), "records are carried on once");
                _next[log] = next;
                break;
            case Kind.Forget:
                _next.Remove(reader.Int64());
                break;
            case var other:
                throw new CorruptDataException($"A forwarding event of kind {(byte)other} is unknown.");
        }
        reader.End("forwarding event");
    }

    public void WriteSnapshot(IBufferWriter<byte> target)
    {
        var writer = new SnapshotWriter(target);
        writer.Byte(Version);
        writer.Int32(_next.Count);
        foreach (var (log, next) in _next)
        {
            writer.Int64(log);
            writer.Int64(next);
        }
    }

    public void ReadSnapshot(ReadOnlySpan<byte> source)
    {
        var reader = new SnapshotReader(source);
        reader.Version(Version, "forwarding");
        _next.Clear();
        for (var n = reader.Count(); n > 0; n--) _next.Add(reader.Int64(), reader.Int64());
        reader.End("forwarding");
    }

    private static ArrayBufferWriter<byte> Begin(Kind kind, out SnapshotWriter writer)
    {
        var buffer = new ArrayBufferWriter<byte>(EventSize);
        writer = new SnapshotWriter(buffer);
        writer.Byte(Version);
        writer.Byte((byte)kind);
        return buffer;
    }
}
