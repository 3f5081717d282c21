using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Dragoman.Kafka.Handlers;
using Dragoman.Kafka.Wire;
using Dragoman.Protocols.Connections;

namespace Dragoman.Kafka.Sessions;

/// <summary>
/// Writes answers to a connection, several to a flush. Records of large answers go from the log to the connection step
/// by step, at the speed at which the client reads, so that a slow client costs a buffer and not its whole answer.
/// </summary>
internal sealed class ResponseWriter(PipeWriter output, LiveConnection live) : IBufferWriter<byte>, IRecordsSink
{
    /// <summary>Bytes that may gather before a flush.</summary>
    public const int FlushAt = 128 * 1024;

    private const int Step = 64 * 1024;

    private readonly List<(int HeadLength, StoredRecords Records)> _deferred = [];
    private byte[] _head = [];
    private int _headLength;

    /// <summary>Bytes written since the last flush.</summary>
    public long Unflushed { get; private set; }

    /// <summary>Writes an answer.</summary>
    /// <returns>False if the client does not read any more.</returns>
    public ValueTask<bool> WriteAsync(PendingRequest request)
    {
        if (request.StreamsRecords) return StreamAsync(request);
        Unflushed += request.Handler!.Write(output, null, request);
        return Unflushed < FlushAt ? ValueTask.FromResult(true) : FlushAsync();
    }

    /// <summary>Lets the connection have what was written.</summary>
    /// <returns>False if the client does not read any more.</returns>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<bool> FlushAsync()
    {
        live.OnSent(Unflushed);
        Unflushed = 0;
        var flushing = output.FlushAsync();
        if (flushing.IsCompleted) return !flushing.Result.IsCompleted;
        var result = await flushing.ConfigureAwait(false);
        // It may go on on the thread that serves the sockets, and what is written next is read from the disk.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        return !result.IsCompleted;
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<bool> StreamAsync(PendingRequest request)
    {
        try
        {
            request.Handler!.Write(this, this, request);
            var written = 0;
            foreach (var (headLength, records) in _deferred)
            {
                WriteHead(written, headLength);
                written = headLength;
                for (var done = 0; done < records.Length;)
                {
                    done += WriteStep(records, done);
                    if (Unflushed >= FlushAt && !await FlushAsync().ConfigureAwait(false)) return false;
                }
            }
            WriteHead(written, _headLength);
            return true;
        }
        finally
        {
            _deferred.Clear();
            _headLength = 0;
            if (_head.Length > 0) ArrayPool<byte>.Shared.Return(_head);
            _head = [];
        }
    }

    private void WriteHead(int from, int to)
    {
        output.Write(_head.AsSpan(from..to));
        Unflushed += to - from;
    }

    private int WriteStep(StoredRecords records, int from)
    {
        var target = output.GetSpan(Math.Min(Step, records.Length - from));
        if (target.Length > records.Length - from) target = target[..(records.Length - from)];
        var count = records.CopyTo(from, target);
        if (count == 0) throw new IOException($"The log has {from} bytes where {records.Length} were found.");
        output.Advance(count);
        Unflushed += count;
        return count;
    }

    void IRecordsSink.Defer(IRecordsSource source) => _deferred.Add((_headLength, (StoredRecords)source));

    void IBufferWriter<byte>.Advance(int count) => _headLength += count;

    Memory<byte> IBufferWriter<byte>.GetMemory(int sizeHint)
    {
        Reserve(sizeHint);
        return _head.AsMemory(_headLength);
    }

    Span<byte> IBufferWriter<byte>.GetSpan(int sizeHint)
    {
        Reserve(sizeHint);
        return _head.AsSpan(_headLength);
    }

    private void Reserve(int size)
    {
        var needed = _headLength + Math.Max(size, 1);
        if (needed <= _head.Length) return;
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(needed, 2 * _head.Length));
        _head.AsSpan(0, _headLength).CopyTo(larger);
        if (_head.Length > 0) ArrayPool<byte>.Shared.Return(_head);
        _head = larger;
    }
}
