using System.Buffers;
using Dragoman.Fuzz.Fuzzing;
using Dragoman.Fuzz.Targets.States;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Fuzz.Targets;

/// <summary>
/// Snapshots and events of every state machine of the broker. What is damaged ends in the documented exception and takes
/// memory by the bytes that are there; what is taken is a state that can be written and read again.
/// </summary>
internal sealed class StateInputs : FuzzTarget
{
    private static readonly StateSource[] s_known =
    [
        new TopicSource(), new QueueSource(), new NamespaceSource(), new RoutingSource(), new ProducerIdSource(), new SecuritySource(), new QuotaSource(), new ConfigSource(),
        new GroupSource(), new TransactionSource(), new SubscriptionSource(), new ForwardingSource(), new MoveSource(), new NotificationSource(),
    ];

    /// <summary>All machines of the broker.</summary>
    private static readonly StateSource[] s_sources =
    [
        .. s_known,
        .. typeof(Broker.Broker).Assembly.GetTypes()
            .Where(type => type.IsClass && !type.IsAbstract && type.IsAssignableTo(typeof(IStateMachine)) && !Array.Exists(s_known, source => source.Machine == type))
            .Select(type => new EmptySource(type)),
    ];

    private StateSource _source = null!;
    private byte[]? _before;
    private long _allocated;

    public override string Input => $"{(_before is null ? "A snapshot" : "An event")} of {_source.Machine.Name}";

    public override byte[] Generate(Random random)
    {
        _source = s_sources[random.Next(s_sources.Length)];
        _before = null;
        var state = _source.Create();
        if (!_source.HasEvents) return Snapshot(state);
        for (var n = random.Next(8); n > 0; n--) state.Apply(_source.Event(state, random));
        if (random.Next(2) == 0) return Snapshot(state);
        _before = Snapshot(state);
        return _source.Event(state, random);
    }

    public override bool Decode(byte[] input, Random random)
    {
        var state = _source.Create();
        if (_before is not null) StateRecovery.Restore(state, 1, _before);
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            if (_before is null) StateRecovery.Restore(state, 1, input);
            else StateRecovery.Replay(state, 1, input);
        }
        finally
        {
            _allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }
        var written = Snapshot(state);
        var again = _source.Create();
        StateRecovery.Restore(again, 1, written);
        if (Snapshot(again).Length != written.Length) throw new FuzzFailedException($"A snapshot of {written.Length} bytes is read as a state whose snapshot has {Snapshot(again).Length}.");
        return true;
    }

    public override bool IsRefusal(Exception error) => error is CorruptDataException;

    // Writing and comparing are the test's.
    public override long MostAllocated(byte[] input) => _allocated <= _source.MostAllocated(input.Length) ? long.MaxValue : 0;

    private static byte[] Snapshot(IStateMachine state)
    {
        var buffer = new ArrayBufferWriter<byte>();
        state.WriteSnapshot(buffer);
        return buffer.WrittenSpan.ToArray();
    }
}
