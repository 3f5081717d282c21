using System.Buffers.Text;
using Dragoman.Storage.Records;

namespace Dragoman.Redis.Wire;

/// <summary>
/// Cuts what a client sends into requests: arrays of bulk strings (RESP, <c>*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n</c>), or lines as
/// a person types them. A request that has wholly arrived in one piece is not copied; one that has not is gathered, and
/// what was understood of it is not looked at again.
/// </summary>
internal sealed class RequestParser : IDisposable
{
    /// <summary>The longest line: Redis' <c>PROTO_INLINE_MAX_SIZE</c>.</summary>
    public const int MaxLine = 64 * 1024;

    /// <summary>The most arguments of a request.</summary>
    public const int MaxArguments = 1024 * 1024;

    /// <summary>The longest argument: Redis' <c>proto-max-bulk-len</c>.</summary>
    public const int MaxBulk = 512 * 1024 * 1024;

    /// <summary>The most bytes of one request.</summary>
    public const int MaxRequest = 1024 * 1024 * 1024;

    private const int MaxArgumentsBeforeLogin = 10;
    private const int MaxBulkBeforeLogin = 16 * 1024;

    private readonly PooledBuffer _gathered = new();
    private readonly PooledBuffer _inline = new();
    private bool _isGathering;
    private bool _isBegun;
    private int _argumentsLeft;
    private int _bulkLength = -1;
    private int _position;

    /// <summary>The request that was read last.</summary>
    public Request Request { get; } = new();

    /// <summary>Bytes that it holds of a request that has not wholly arrived.</summary>
    public int Gathered => _gathered.Length;

    /// <summary>Whether the client has logged in, or need not: until then requests are small.</summary>
    public bool IsTrusted { get; set; }

    /// <summary>Reads a request.</summary>
    /// <param name="bytes">What has arrived; what was used of it is cut off.</param>
    /// <returns>False if the rest of the request has to come yet: then everything was used.</returns>
    /// <exception cref="RedisProtocolException">It is none.</exception>
    public bool TryRead(ref ReadOnlyMemory<byte> bytes)
    {
        if (bytes.IsEmpty) return false;
        if (!_isGathering)
        {
            Request.Clear();
            if (Parse(bytes.Span))
            {
                Complete(bytes);
                bytes = bytes[_position..];
                Reset();
                return true;
            }
            _isGathering = true;
            Gather(ref bytes, bytes.Length);
            return false;
        }
        while (!bytes.IsEmpty)
        {
            Gather(ref bytes, Wanted(bytes.Span));
            if (!Parse(_gathered.WrittenSpan)) continue;
            Complete(_gathered.WrittenMemory);
            _isGathering = false;
            Reset();
            return true;
        }
        return false;
    }

    /// <summary>Lets go of the request that was read last, so that what it was gathered in can be used for another.</summary>
    public void Release()
    {
        Request.Clear();
        if (_isGathering) return;
        if (_gathered.Capacity > MaxLine) _gathered.Dispose();
        else _gathered.Clear();
        if (_inline.Capacity > MaxLine) _inline.Dispose();
        else _inline.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _gathered.Dispose();
        _inline.Dispose();
    }

    private void Complete(ReadOnlyMemory<byte> bytes) => Request.Place(_inline.Length > 0 ? _inline.WrittenMemory : bytes);

    private void Reset()
    {
        _isBegun = false;
        _argumentsLeft = 0;
        _bulkLength = -1;
        _position = 0;
    }

    private void Gather(ref ReadOnlyMemory<byte> bytes, int count)
    {
        if (_gathered.Length + (long)count > MaxRequest) throw new RedisProtocolException("too big mbulk count string");
        _gathered.Write(bytes.Span[..count]);
        bytes = bytes[count..];
    }

    /// <summary>How much of what has come is needed to get further: never more than belongs to this request.</summary>
    private int Wanted(ReadOnlySpan<byte> bytes)
    {
        if (_bulkLength >= 0) return (int)Math.Min(bytes.Length, _position + (long)_bulkLength + 2 - _gathered.Length);
        var gathered = _gathered.WrittenSpan;
        var isArray = _isBegun || gathered[0] == '*';
        // Whatever follows the carriage return of a length counts for the line's end.
        if (isArray && gathered.Length > _position && gathered[^1] == '\r') return 1;
        var end = bytes.IndexOf(isArray ? (byte)'\r' : (byte)'\n');
        return end < 0 ? bytes.Length : end + 1;
    }

    /// <summary>Understands more of a request; true when that is all of it, which ends where the position is then.</summary>
    private bool Parse(ReadOnlySpan<byte> bytes)
    {
        if (!_isBegun)
        {
            if (bytes.IsEmpty) return false;
            if (bytes[0] != '*') return ParseInline(bytes);
            if (!TryReadLine(bytes, "too big mbulk count string", out var line)) return false;
            if (!Utf8Parser.TryParse(line[1..], out long count, out var used) || used != line.Length - 1 || count > MaxArguments)
                throw new RedisProtocolException("invalid multibulk length");
            if (!IsTrusted && count > MaxArgumentsBeforeLogin) throw new RedisProtocolException("unauthenticated multibulk length");
            _isBegun = true;
            _argumentsLeft = (int)Math.Max(count, 0);
        }
        while (_argumentsLeft > 0)
        {
            if (_bulkLength < 0)
            {
                if (!TryReadLine(bytes, "too big bulk count string", out var line)) return false;
                if (line.IsEmpty || line[0] != '$') throw new RedisProtocolException($"expected '$', got '{(line.IsEmpty ? '\r' : (char)line[0])}'");
                if (!Utf8Parser.TryParse(line[1..], out long length, out var used) || used != line.Length - 1 || length is < 0 or > MaxBulk)
                    throw new RedisProtocolException("invalid bulk length");
                if (!IsTrusted && length > MaxBulkBeforeLogin) throw new RedisProtocolException("unauthenticated bulk length");
                _bulkLength = (int)length;
            }
            if (bytes.Length - _position < _bulkLength + 2L) return false;
            Request.Add(_position, _bulkLength);
            _position += _bulkLength + 2;
            _bulkLength = -1;
            _argumentsLeft--;
        }
        return true;
    }

    private bool TryReadLine(ReadOnlySpan<byte> bytes, string tooLong, out ReadOnlySpan<byte> line)
    {
        var rest = bytes[_position..];
        var end = rest[..Math.Min(rest.Length, MaxLine)].IndexOf((byte)'\r');
        if (end < 0 && rest.Length >= MaxLine) throw new RedisProtocolException(tooLong);
        if (end < 0 || end + 1 >= rest.Length)
        {
            line = default;
            return false;
        }
        line = rest[..end];
        _position += end + 2;
        return true;
    }

    private bool ParseInline(ReadOnlySpan<byte> bytes)
    {
        var end = bytes[..Math.Min(bytes.Length, MaxLine)].IndexOf((byte)'\n');
        if (end < 0)
        {
            if (bytes.Length >= MaxLine) throw new RedisProtocolException("too big inline request");
            return false;
        }
        var line = bytes[..end];
        if (line.EndsWith("\r"u8)) line = line[..^1];
        _inline.Clear();
        if (!InlineArguments.TrySplit(line, _inline, Request)) throw new RedisProtocolException("unbalanced quotes in request");
        _position = end + 1;
        return true;
    }
}
