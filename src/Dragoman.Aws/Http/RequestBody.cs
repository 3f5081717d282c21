using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Aws.Http;

/// <summary>The whole body of a request, in pooled memory.</summary>
internal struct RequestBody : IDisposable
{
    private const int FirstBytes = 16 << 10;

    private readonly BodyBudget? _budget;
    private byte[]? _array;
    private int _length;

    private RequestBody(BodyBudget? budget, byte[]? array, int length)
    {
        _budget = budget;
        _array = array;
        _length = length;
    }

    /// <summary>The bytes, until the body is disposed of.</summary>
    public readonly ReadOnlyMemory<byte> Memory => _array.AsMemory(0, _length);

    /// <summary>Reads the body.</summary>
    /// <exception cref="AwsException">It is too long, or there is no room for it.</exception>
    public static async ValueTask<RequestBody> ReadAsync(HttpContext context, int maxBytes, BodyBudget budget)
    {
        var declared = context.Request.ContentLength;
        if (declared == 0) return default;
        if (declared > maxBytes) throw TooLong(maxBytes);
        // What a client says that it will send counts for nothing until it is there.
        var capacity = (int)Math.Min(declared ?? FirstBytes, FirstBytes);
        budget.Take(capacity);
        var array = ArrayPool<byte>.Shared.Rent(Math.Max(capacity, 1));
        var taken = capacity;
        var length = 0;
        try
        {
            var reader = context.Request.BodyReader;
            while (true)
            {
                var read = await reader.ReadAsync(context.RequestAborted);
                var buffer = read.Buffer;
                try
                {
                    var needed = length + buffer.Length;
                    if (needed > maxBytes) throw TooLong(maxBytes);
                    if (needed > array.Length)
                    {
                        var more = (int)Math.Min(Math.Max(needed, 2L * array.Length), declared ?? maxBytes);
                        budget.Take(more - taken);
                        taken = more;
                        var larger = ArrayPool<byte>.Shared.Rent(more);
                        array.AsSpan(0, length).CopyTo(larger);
                        ArrayPool<byte>.Shared.Return(array);
                        array = larger;
                    }
                    buffer.CopyTo(array.AsSpan(length));
                    length += (int)buffer.Length;
                }
                finally
                {
                    // A read that is refused has to end, too: the server reads what is left of the body.
                    reader.AdvanceTo(buffer.End);
                }
                if (read.IsCompleted) return new RequestBody(budget, array, length) { Taken = taken };
            }
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(array);
            budget.Give(taken);
            throw;
        }
    }

    private int Taken { readonly get; init; }

    /// <summary>Gives the memory back.</summary>
    public void Dispose()
    {
        if (_array is null) return;
        ArrayPool<byte>.Shared.Return(_array);
        _budget!.Give(Taken);
        _array = null;
        _length = 0;
    }

    private static AwsException TooLong(int maxBytes) => new("RequestEntityTooLarge", $"The body of a request has at most {maxBytes} bytes.", StatusCodes.Status413PayloadTooLarge);
}

/// <summary>How many bytes the bodies of all requests may hold together.</summary>
/// <param name="maxBytes">The bytes.</param>
internal sealed class BodyBudget(long maxBytes)
{
    private long _taken;

    /// <summary>Takes a share.</summary>
    /// <exception cref="AwsException">There is too little left: later there may be more.</exception>
    public void Take(int bytes)
    {
        if (Interlocked.Add(ref _taken, bytes) <= maxBytes) return;
        Give(bytes);
        throw new AwsException("ThrottlingException", "The server holds too many requests; try again later.", StatusCodes.Status503ServiceUnavailable);
    }

    /// <summary>Gives a share back.</summary>
    public void Give(int bytes) => Interlocked.Add(ref _taken, -bytes);
}
