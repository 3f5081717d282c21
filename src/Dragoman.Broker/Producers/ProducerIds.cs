using System.Buffers;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Producers;

/// <summary>How far producer ids have been given out. They are reserved in blocks, so most cost nothing.</summary>
internal sealed class ProducerIdState : IStateMachine
{
    private const byte Version = 1;

    /// <summary>The first id that is not reserved.</summary>
    public long Next { get; private set; } = 1;

    public static ReadOnlySpan<byte> ReservedUpTo(long next)
    {
        var buffer = new ArrayBufferWriter<byte>(9);
        var writer = new SnapshotWriter(buffer);
        writer.Byte(Version);
        writer.Int64(next);
        return buffer.WrittenSpan;
    }

    public void Apply(ReadOnlySpan<byte> evt) => ReadSnapshot(evt);

    public void WriteSnapshot(IBufferWriter<byte> target) => target.Write(ReservedUpTo(Next));

    public void ReadSnapshot(ReadOnlySpan<byte> source)
    {
        var reader = new SnapshotReader(source);
        reader.Version(Version, "producer ids");
        Next = reader.Int64();
        reader.End("producer ids");
    }
}

/// <summary>Gives out producer ids from reserved blocks.</summary>
internal sealed class ProducerIds(StateLog state) : IProducerIds
{
    private const int Block = 1000;

    private readonly Lock _lock = new();
    private long _next;
    private long _end;

    public async ValueTask<long> AllocateAsync(CancellationToken cancellation)
    {
        while (true)
        {
            lock (_lock)
            {
                if (_next < _end) return _next++;
            }
            var end = await state.ExecuteAsync(CommitMode.Fsync, commit =>
            {
                var next = ((ProducerIdState)state.Machine).Next + Block;
                state.Emit(commit, ProducerIdState.ReservedUpTo(next));
                return next;
            }, cancellation: cancellation);
            lock (_lock)
            {
                // Two that came at once have each reserved a block; the rest of the older one is left.
                if (end <= _end) continue;
                _next = end - Block;
                _end = end;
            }
        }
    }
}
