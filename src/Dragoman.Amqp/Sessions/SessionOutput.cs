using System.Buffers;
using System.IO.Pipelines;
using Dragoman.Amqp.Wire;
using Dragoman.Protocols.Connections;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Amqp.Sessions;

/// <summary>
/// Everything that one connection sends. Methods are added from anywhere and wait in a buffer; one loop writes them, then
/// asks the sources that have announced themselves, and flushes once for all of it.
/// </summary>
internal sealed class SessionOutput(PipeWriter pipe) : IDisposable
{
    /// <summary>Bytes that may gather before a flush.</summary>
    public const int FlushAt = 128 * 1024;

    /// <summary>Bytes that a source writes before it is another one's turn.</summary>
    private const int Turn = 64 * 1024;

    /// <summary>Bytes of methods that are written before a flush.</summary>
    private const int MostAtOnce = 1 << 20;

    // Whoever sends more than this waits until the client has read.
    private const int HoldAt = 1 << 20;

    private readonly Lock _lock = new();
    private readonly WakeSignal _wake = new();
    private PooledBuffer _methods = new();
    private PooledBuffer _draining = new();
    private List<OutputSource> _ready = [];
    private List<OutputSource> _round = [];
    private TaskCompletionSource? _room;
    private int _drainedTo;
    private bool _ending;
    private bool _failed;

    /// <summary>What the connection is listed as.</summary>
    public LiveConnection? Live { get; init; }

    /// <summary>Number of methods that were ever added.</summary>
    public long Added { get; private set; }

    /// <summary>Number of methods that the loop has written, or is about to write before anything else.</summary>
    public long Drained { get; private set; }

    /// <summary>Bytes written so far; what the heartbeat looks at.</summary>
    public long Written { get; private set; }

    /// <summary>Bytes of methods that wait to be written.</summary>
    public long Waiting => _methods.Length;

    /// <summary>Sends a method.</summary>
    public void Send<T>(ushort channel, T method)
        where T : struct, IMethod<T>
    {
        lock (_lock)
        {
            if (_failed) return;
            AddMethod(_methods, channel, method);
            Added++;
        }
        _wake.Set();
    }

    /// <summary>Sends a method and the content that belongs to it.</summary>
    /// <param name="channel">The channel.</param>
    /// <param name="method">The method.</param>
    /// <param name="properties">The encoded properties.</param>
    /// <param name="body">The body.</param>
    /// <param name="frameMax">The largest frame.</param>
    public void Send<T>(ushort channel, T method, ReadOnlySpan<byte> properties, in ReadOnlySequence<byte> body, int frameMax)
        where T : struct, IMethod<T>
    {
        lock (_lock)
        {
            if (_failed) return;
            AddMethod(_methods, channel, method);
            ContentWriter.Write(_methods, channel, properties, body, frameMax);
            Added++;
        }
        _wake.Set();
    }

    /// <inheritdoc cref="Send{T}(ushort, T, ReadOnlySpan{byte}, in ReadOnlySequence{byte}, int)"/>
    public void Send<T>(ushort channel, T method, ReadOnlySpan<byte> properties, ReadOnlySpan<byte> body, int frameMax)
        where T : struct, IMethod<T>
    {
        lock (_lock)
        {
            if (_failed) return;
            AddMethod(_methods, channel, method);
            ContentWriter.Write(_methods, channel, properties, body, frameMax);
            Added++;
        }
        _wake.Set();
    }

    /// <summary>Sends bytes as they are: the protocol header, a heartbeat.</summary>
    public void SendRaw(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            if (_failed) return;
            _methods.Write(bytes);
            Added++;
        }
        _wake.Set();
    }

    /// <summary>Says that a source has something to send.</summary>
    public void Announce(OutputSource source)
    {
        lock (_lock)
        {
            if (source.IsQueued || _failed) return;
            source.IsQueued = true;
            _ready.Add(source);
        }
        _wake.Set();
    }

    /// <summary>Completes when what waits to be sent is not too much.</summary>
    public ValueTask WaitForRoomAsync()
    {
        lock (_lock)
        {
            if (_methods.Length < HoldAt || _failed) return ValueTask.CompletedTask;
            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return new ValueTask(_room.Task);
        }
    }

    /// <summary>Lets the loop end when all methods are written.</summary>
    public void End()
    {
        lock (_lock) _ending = true;
        _wake.Set();
    }

    /// <summary>Lets the loop end as soon as it can.</summary>
    public void Abort()
    {
        Fail();
        pipe.CancelPendingFlush();
        End();
    }

    /// <summary>Writes until <see cref="End"/>, or until the client does not read any more.</summary>
    /// <returns>Why it ended early, or null.</returns>
    public async Task<Exception?> RunAsync()
    {
        try
        {
            while (true)
            {
                await _wake.WaitAsync().ConfigureAwait(false);
                while (true)
                {
                    var (more, unflushed) = WriteRound();
                    if (unflushed > 0)
                    {
                        Live?.OnSent(unflushed);
                        var flushing = pipe.FlushAsync();
                        var waits = !flushing.IsCompleted;
                        var result = await flushing.ConfigureAwait(false);
                        // It may go on on the thread that serves the sockets, and what is written next is read from the disk.
                        if (waits) await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
                        if (result.IsCompleted || result.IsCanceled) return Fail();
                    }
                    if (!more) break;
                }
                lock (_lock)
                {
                    if (_failed) return new IOException("The connection was given up.");
                    if (_ending && _methods.Length == 0) return null;
                }
            }
        }
        catch (Exception error) when (error is IOException or OperationCanceledException or InvalidOperationException)
        {
            Fail();
            return error;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _failed = true;
            _methods.Dispose();
            _draining.Dispose();
        }
    }

    /// <summary>Writes methods, and what sources have, up to what one flush should carry.</summary>
    private (bool More, int Unflushed) WriteRound()
    {
        if (_drainedTo == 0) BeginRound();
        // Much at once goes out in parts, so that it is not in the connection's memory a second time.
        var unflushed = Math.Min(_draining.Length - _drainedTo, MostAtOnce);
        if (unflushed > 0) pipe.Write(_draining.WrittenSpan.Slice(_drainedTo, unflushed));
        _drainedTo += unflushed;
        if (_drainedTo < _draining.Length)
        {
            Written += unflushed;
            return (true, unflushed);
        }
        _drainedTo = 0;
        // A burst's memory goes back; what is usual stays.
        if (_draining.Capacity > FlushAt) _draining.Dispose();
        _draining.Clear();
        foreach (var source in _round)
        {
            var more = true;
            if (unflushed < FlushAt)
            {
                more = source.Produce(pipe, Turn, out var written);
                unflushed += written;
            }
            if (more) Announce(source);
        }
        _round.Clear();
        Written += unflushed;
        lock (_lock) return (_methods.Length > 0 || _ready.Count > 0, unflushed);
    }

    /// <summary>Takes the methods that were sent so far, and the sources that may speak after them.</summary>
    private void BeginRound()
    {
        lock (_lock)
        {
            (_round, _ready) = (_ready, _round);
            // From here on they may announce themselves anew: what they have after they were prepared is for another round.
            foreach (var source in _round) source.IsQueued = false;
        }
        foreach (var source in _round) source.Prepare();
        TaskCompletionSource? room;
        lock (_lock)
        {
            (_methods, _draining) = (_draining, _methods);
            Drained = Added;
            room = _room;
            _room = null;
        }
        room?.SetResult();
    }

    private IOException Fail()
    {
        TaskCompletionSource? room;
        lock (_lock)
        {
            _failed = true;
            _methods.Clear();
            _ready.Clear();
            room = _room;
            _room = null;
        }
        room?.SetResult();
        return new IOException("The client does not read any more.");
    }

    private static void AddMethod<T>(PooledBuffer target, ushort channel, T method)
        where T : struct, IMethod<T>
    {
        var start = target.Length;
        target.GetSpan(FrameHeader.Size);
        target.Advance(FrameHeader.Size);
        MethodCodec.Write(target, method);
        var length = target.Length - start - FrameHeader.Size;
        new FrameHeader(FrameType.Method, channel, length).Write(target.WritableSpan[start..]);
        target.GetSpan(1)[0] = FrameHeader.EndMark;
        target.Advance(1);
    }
}

/// <summary>Writes the frames of a content: the header, and the body in as many frames as it needs.</summary>
internal static class ContentWriter
{
    /// <summary>Writes all frames of a content.</summary>
    /// <returns>The bytes written.</returns>
    public static int Write(IBufferWriter<byte> target, ushort channel, ReadOnlySpan<byte> properties, in ReadOnlySequence<byte> body, int frameMax)
    {
        var written = WriteHeader(target, channel, properties, body.Length);
        var rest = body;
        while (!rest.IsEmpty)
        {
            var part = rest.Slice(0, Math.Min(rest.Length, frameMax - FrameHeader.Overhead));
            var length = (int)part.Length;
            new FrameHeader(FrameType.Body, channel, length).Write(target.GetSpan(FrameHeader.Size));
            target.Advance(FrameHeader.Size);
            foreach (var segment in part) target.Write(segment.Span);
            target.GetSpan(1)[0] = FrameHeader.EndMark;
            target.Advance(1);
            written += length + FrameHeader.Overhead;
            rest = rest.Slice(length);
        }
        return written;
    }

    /// <inheritdoc cref="Write(IBufferWriter{byte}, ushort, ReadOnlySpan{byte}, in ReadOnlySequence{byte}, int)"/>
    public static int Write(IBufferWriter<byte> target, ushort channel, ReadOnlySpan<byte> properties, ReadOnlySpan<byte> body, int frameMax)
    {
        var written = WriteHeader(target, channel, properties, body.Length);
        while (!body.IsEmpty)
        {
            var part = body[..Math.Min(body.Length, frameMax - FrameHeader.Overhead)];
            new FrameHeader(FrameType.Body, channel, part.Length).Write(target.GetSpan(FrameHeader.Size));
            target.Advance(FrameHeader.Size);
            target.Write(part);
            target.GetSpan(1)[0] = FrameHeader.EndMark;
            target.Advance(1);
            written += part.Length + FrameHeader.Overhead;
            body = body[part.Length..];
        }
        return written;
    }

    /// <summary>Writes the header frame.</summary>
    /// <returns>The bytes written.</returns>
    public static int WriteHeader(IBufferWriter<byte> target, ushort channel, ReadOnlySpan<byte> properties, long bodyLength)
    {
        var length = ContentHeader.PrefixSize + properties.Length;
        var span = target.GetSpan(length + FrameHeader.Overhead);
        new FrameHeader(FrameType.Header, channel, length).Write(span);
        ContentHeader.WritePrefix(span[FrameHeader.Size..], bodyLength);
        properties.CopyTo(span[(FrameHeader.Size + ContentHeader.PrefixSize)..]);
        span[FrameHeader.Size + length] = FrameHeader.EndMark;
        target.Advance(length + FrameHeader.Overhead);
        return length + FrameHeader.Overhead;
    }
}
