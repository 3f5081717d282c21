using System.Buffers;
using System.IO.Pipelines;
using Dragoman.Admin.Http;
using Dragoman.Storage.Records;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.Records;

/// <summary>Cuts a request's body into lines while it arrives. A line ends with LF, which is not part of it; the last one may lack it.</summary>
internal sealed class LineReader(PipeReader source, int maxLineBytes) : IDisposable
{
    // What is shorter waits where it is. What is longer is copied, as the server stops receiving when its own buffer is full.
    private const int MaxUnconsumed = 64 * 1024;

    private readonly PooledBuffer _partial = new();

    /// <summary>Reads all lines.</summary>
    /// <param name="line">Takes a line and its number from 1 on; the bytes are valid until the answer.</param>
    /// <param name="pause">Called when the sender has paused, or is slower than this side.</param>
    /// <param name="cancellation">Ends the wait for more.</param>
    /// <exception cref="ProblemException">A line is too long.</exception>
    public async Task ReadAsync(Func<ReadOnlyMemory<byte>, long, ValueTask> line, Func<ValueTask> pause, CancellationToken cancellation)
    {
        for (long number = 1; ;)
        {
            if (!source.TryRead(out var result))
            {
                await pause();
                result = await source.ReadAsync(cancellation);
            }
            var rest = result.Buffer;
            var consumed = result.Buffer.End;
            try
            {
                while (rest.PositionOf((byte)'\n') is { } end)
                {
                    await line(Join(rest.Slice(0, end)), number++);
                    _partial.Clear();
                    rest = rest.Slice(rest.GetPosition(1, end));
                }
                if (rest.Length + _partial.Length > maxLineBytes)
                    throw new ProblemException(StatusCodes.Status413PayloadTooLarge, "Line too long", $"Line {number} is longer than {maxLineBytes} bytes.");
                if (result.IsCompleted)
                {
                    if (!rest.IsEmpty || _partial.Length > 0) await line(Join(rest), number);
                }
                else if (_partial.Length > 0 || rest.Length > MaxUnconsumed)
                {
                    foreach (var segment in rest) _partial.Write(segment.Span);
                }
                else
                {
                    consumed = rest.Start;
                }
            }
            finally
            {
                // After a failure, too: the server reads on to where the next request starts.
                source.AdvanceTo(consumed, result.Buffer.End);
            }
            if (result.IsCompleted) return;
        }
    }

    private ReadOnlyMemory<byte> Join(in ReadOnlySequence<byte> end)
    {
        if (_partial.Length == 0 && end.IsSingleSegment) return end.First;
        foreach (var segment in end) _partial.Write(segment.Span);
        return _partial.WrittenMemory;
    }

    public void Dispose() => _partial.Dispose();
}
