using System.Buffers;
using Dragoman.Broker.Namespaces;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Queues.Moves;

/// <summary>Which moves there are, and how far they have come: the state machine behind <see cref="Moves"/>.</summary>
internal sealed class MoveRegistry : IStateMachine
{
    /// <summary>Moves that have ended and are remembered, of each queue and in all.</summary>
    public const int RememberedOfQueue = 10;

    public const int Remembered = 1000;

    private const byte Version = 1;

    /// <summary>In the order in which they began, which is also that of a replay.</summary>
    private readonly List<Move> _moves = [];

    private enum Kind : byte
    {
        Started = 1,
        Moved = 2,
        Cancelling = 3,
        Ended = 4,
    }

    public IReadOnlyList<Move> Moves => _moves;

    public Move? Find(Guid id) => _moves.Find(m => m.Id == id);

    public static byte[] Started(Move move)
    {
        var buffer = Begin(Kind.Started, move.Id, out var writer);
        WriteStart(writer, move);
        return buffer.WrittenSpan.ToArray();
    }

    public static byte[] Moved(Guid id, long count)
    {
        var buffer = Begin(Kind.Moved, id, out var writer);
        writer.Int64(count);
        return buffer.WrittenSpan.ToArray();
    }

    public static byte[] Cancelling(Guid id) => Begin(Kind.Cancelling, id, out _).WrittenSpan.ToArray();

    public static byte[] Ended(Guid id, MoveState state, long left, DateTimeOffset at, string? reason)
    {
        var buffer = Begin(Kind.Ended, id, out var writer);
        WriteEnd(writer, state, left, at, reason);
        return buffer.WrittenSpan.ToArray();
    }

    private static ArrayBufferWriter<byte> Begin(Kind kind, Guid id, out SnapshotWriter writer)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        writer = new SnapshotWriter(buffer);
        writer.Byte(Version);
        writer.Byte((byte)kind);
        writer.Guid(id);
        return buffer;
    }

    public void Apply(ReadOnlySpan<byte> evt)
    {
        var reader = new SnapshotReader(evt);
        reader.Version(Version, "move event");
        var kind = (Kind)reader.Byte();
        var id = reader.Guid();
        if (kind == Kind.Started)
        {
            _moves.Add(ReadStart(id, ref reader));
        }
        else
        {
            var index = _moves.FindIndex(m => m.Id == id);
            Invariant.Check(index >= 0 && !_moves[index].HasEnded, "only moves that go on change");
            switch (kind)
            {
                case Kind.Moved:
                    _moves[index] = _moves[index] with { Moved = _moves[index].Moved + reader.Int64() };
                    break;
                case Kind.Cancelling:
                    _moves[index] = _moves[index] with { State = MoveState.Cancelling };
                    break;
                case Kind.Ended:
                    _moves[index] = ReadEnd(_moves[index], ref reader);
                    Forget(_moves[index].Source);
                    break;
                default:
                    throw new CorruptDataException($"A move event of kind {(byte)kind} is unknown.");
            }
        }
        reader.End("move event");
    }

    /// <summary>Forgets the oldest of those that have ended, where there are too many.</summary>
    private void Forget(QueueName source)
    {
        Forget(m => m.HasEnded && m.Source == source, RememberedOfQueue);
        Forget(static m => m.HasEnded, Remembered);
    }

    private void Forget(Predicate<Move> picked, int kept)
    {
        for (var surplus = _moves.FindAll(picked).Count - kept; surplus > 0; surplus--) _moves.RemoveAt(_moves.FindIndex(picked));
    }

    public void WriteSnapshot(IBufferWriter<byte> target)
    {
        var writer = new SnapshotWriter(target);
        writer.Byte(Version);
        writer.Int32(_moves.Count);
        foreach (var move in _moves)
        {
            writer.Guid(move.Id);
            WriteStart(writer, move);
            writer.Int64(move.Moved);
            writer.Byte((byte)move.State);
            if (move.HasEnded) WriteEnd(writer, move.State, move.Left, move.EndedAt!.Value, move.Reason);
        }
    }

    public void ReadSnapshot(ReadOnlySpan<byte> source)
    {
        var reader = new SnapshotReader(source);
        reader.Version(Version, "moves");
        _moves.Clear();
        for (var n = reader.Count(); n > 0; n--)
        {
            var move = ReadStart(reader.Guid(), ref reader) with { Moved = reader.Int64() };
            move = move with { State = (MoveState)reader.Byte() };
            _moves.Add(move.HasEnded ? ReadEnd(move, ref reader) : move);
        }
        reader.End("moves");
    }

    private static void WriteStart(in SnapshotWriter writer, Move move)
    {
        writer.Text(move.Source.Namespace.Tenant);
        writer.Text(move.Source.Namespace.Name);
        writer.Text(move.Source.Name);
        writer.Guid(move.SourceId);
        writer.Bool(move.Target is not null);
        if (move.Target is not null) writer.Text(move.Target);
        writer.Int64(BitConverter.DoubleToInt64Bits(move.MessagesPerSecond));
        writer.Int64(move.Planned);
        writer.Int64(move.StartedAt.ToUnixTimeMilliseconds());
    }

    private static Move ReadStart(Guid id, ref SnapshotReader reader) => new()
    {
        Id = id,
        Source = new QueueName(new NamespaceName(reader.Text(), reader.Text()), reader.Text()),
        SourceId = reader.Guid(),
        Target = reader.Bool() ? reader.Text() : null,
        MessagesPerSecond = BitConverter.Int64BitsToDouble(reader.Int64()),
        Planned = reader.Int64(),
        StartedAt = DateTimeOffset.FromUnixTimeMilliseconds(reader.Int64()),
    };

    private static void WriteEnd(in SnapshotWriter writer, MoveState state, long left, DateTimeOffset at, string? reason)
    {
        writer.Byte((byte)state);
        writer.Int64(left);
        writer.Int64(at.ToUnixTimeMilliseconds());
        writer.Text(reason ?? "");
    }

    private static Move ReadEnd(Move move, ref SnapshotReader reader) => move with
    {
        State = (MoveState)reader.Byte(),
        Left = reader.Int64(),
        EndedAt = DateTimeOffset.FromUnixTimeMilliseconds(reader.Int64()),
        Reason = reader.Text() is { Length: > 0 } reason ? reason : null,
    };
}
