using System.Buffers;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Simulation.Storage;

/// <summary>A state machine that remembers all its events, so that one applied twice, lost or moved is seen.</summary>
internal sealed class EventLog : IStateMachine
{
    public List<int> Events { get; } = [];

    public static byte[] Event(int number) => BitConverter.GetBytes(number);

    public void Apply(ReadOnlySpan<byte> evt) => Events.Add(BitConverter.ToInt32(evt));

    public void WriteSnapshot(IBufferWriter<byte> target)
    {
        var writer = new SnapshotWriter(target);
        writer.Byte(1);
        writer.Int32(Events.Count);
        foreach (var number in Events) writer.Int32(number);
    }

    public void ReadSnapshot(ReadOnlySpan<byte> source)
    {
        var reader = new SnapshotReader(source);
        reader.Version(1, "event log");
        Events.Clear();
        for (var n = reader.Int32(); n > 0; n--) Events.Add(reader.Int32());
        reader.End("event log");
    }
}
