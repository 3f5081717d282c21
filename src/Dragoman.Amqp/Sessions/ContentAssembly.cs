using System.Buffers;
using System.Buffers.Binary;
using Dragoman.Amqp.Wire;
using Dragoman.Protocols.Framing;
using Dragoman.Storage.Records;

namespace Dragoman.Amqp.Sessions;

/// <summary>
/// A publish that is arriving on a channel: its method, then its header, then its body in any number of frames. A body of
/// one frame is never copied here.
/// </summary>
internal sealed class ContentAssembly(ByteBudget budget) : IDisposable
{
    private readonly PooledBuffer _head = new();
    private readonly GatheredBody _body = new();
    private int _exchangeLength;
    private int _routingKeyLength;
    private long _bodyLength;
    private int _charged;
    private Phase _phase;

    private enum Phase
    {
        Idle,
        Header,
        Body,
    }

    /// <summary>Whether a header or body frame must come next on the channel.</summary>
    public bool IsUnderWay => _phase != Phase.Idle;

    /// <summary>Whether the message shall come back if it reaches no queue.</summary>
    public bool IsMandatory { get; private set; }

    /// <summary>The name of the exchange.</summary>
    public ReadOnlySpan<byte> Exchange => _head.WrittenSpan.Slice(1, _exchangeLength);

    /// <summary>The routing key.</summary>
    public ReadOnlySpan<byte> RoutingKey => _head.WrittenSpan.Slice(1 + _exchangeLength, _routingKeyLength);

    /// <summary>The encoded properties.</summary>
    public ReadOnlySpan<byte> Properties => _head.WrittenSpan[(1 + _exchangeLength + _routingKeyLength)..];

    /// <summary>The length of the exchange's name, the name, and the routing key: what routing depends on.</summary>
    public ReadOnlySpan<byte> Address => _head.WrittenSpan[..(1 + _exchangeLength + _routingKeyLength)];

    /// <summary>The address and the properties: everything but the body.</summary>
    public ReadOnlySpan<byte> Head => _head.WrittenSpan;

    /// <summary>Takes in the fields of <c>basic.publish</c>.</summary>
    /// <exception cref="AmqpWireException">They are malformed.</exception>
    public void Begin(ReadOnlySpan<byte> arguments)
    {
        var reader = new WireReader(arguments);
        reader.Short();
        var exchange = reader.ShortString();
        var routingKey = reader.ShortString();
        var bits = reader.Octet();
        if ((bits & 2) != 0) throw Errors.NotImplemented("immediate=true");
        _head.Clear();
        _head.Write([(byte)exchange.Length]);
        _head.Write(exchange);
        _head.Write(routingKey);
        _exchangeLength = exchange.Length;
        _routingKeyLength = routingKey.Length;
        IsMandatory = (bits & 1) != 0;
        _phase = Phase.Header;
    }

    /// <summary>Takes in a header frame.</summary>
    /// <param name="payload">Its payload.</param>
    /// <param name="maxBody">The largest body.</param>
    /// <returns>Whether the message is complete, its body empty.</returns>
    /// <exception cref="AmqpWireException">It is malformed, or cannot come now.</exception>
    /// <exception cref="ChannelException">The message is too large.</exception>
    public bool AddHeader(in ReadOnlySequence<byte> payload, int maxBody)
    {
        if (_phase != Phase.Header) throw new AmqpWireException(ReplyCode.UnexpectedFrame, "expected method frame, got header frame instead");
        if (payload.Length < ContentHeader.PrefixSize + sizeof(ushort)) throw new AmqpWireException(ReplyCode.FrameError, "a content header that is too short");
        Span<byte> prefix = stackalloc byte[ContentHeader.PrefixSize];
        payload.Slice(0, ContentHeader.PrefixSize).CopyTo(prefix);
        var classId = BinaryPrimitives.ReadUInt16BigEndian(prefix);
        if (classId != 60) throw new AmqpWireException(ReplyCode.UnexpectedFrame, $"expected content header for class 60, got one for class {classId} instead");
        var length = BinaryPrimitives.ReadUInt64BigEndian(prefix[4..]);
        var properties = payload.Slice(ContentHeader.PrefixSize);
        if (properties.IsSingleSegment) _head.Write(properties.FirstSpan);
        else properties.CopyTo(Reserve(_head, (int)properties.Length));
        if (length > (ulong)maxBody)
        {
            _phase = Phase.Idle;
            throw Errors.Precondition($"message size {length} is larger than configured max size {maxBody}");
        }
        _bodyLength = (long)length;
        _phase = length == 0 ? Phase.Idle : Phase.Body;
        return length == 0;
    }

    /// <summary>Takes in a body frame.</summary>
    /// <param name="payload">Its payload.</param>
    /// <param name="body">The whole body, once it is complete: valid until the next frame.</param>
    /// <returns>Whether the message is complete.</returns>
    /// <exception cref="AmqpWireException">It cannot come now, or is longer than announced.</exception>
    public bool AddBody(in ReadOnlySequence<byte> payload, out ReadOnlySequence<byte> body)
    {
        body = payload;
        if (_phase != Phase.Body) throw new AmqpWireException(ReplyCode.UnexpectedFrame, "expected method frame, got body frame instead");
        var left = _bodyLength - _body.Length;
        if (payload.Length > left) throw new AmqpWireException(ReplyCode.FrameError, $"a body of {_body.Length + payload.Length} bytes where {_bodyLength} were announced");
        if (payload.Length == _bodyLength)
        {
            _phase = Phase.Idle;
            return true;
        }
        _body.Add(payload);
        if (_body.Length < _bodyLength) return false;
        _phase = Phase.Idle;
        body = _body.Bytes;
        return true;
    }

    /// <summary>Bytes that the next body frame needs of the budget that all connections share; 0 if it needs none.</summary>
    public int NeededFor(in ReadOnlySequence<byte> payload)
    {
        if (payload.Length == _bodyLength || _body.Length + payload.Length <= _charged) return 0;
        // In steps that double, so that a large message asks, and perhaps waits, a few times and not with each frame.
        return (int)Math.Min(_bodyLength, Math.Max(2L * _charged, _body.Length + payload.Length)) - _charged;
    }

    /// <summary>Whether something was taken from the budget.</summary>
    public bool IsCharged => _charged > 0;

    /// <summary>Whether the message is one of those that wait behind others for memory.</summary>
    public bool IsLarge => _bodyLength > ByteBudget.LargeMessage;

    /// <summary>Notes what was taken from the budget.</summary>
    public void Charge(int bytes) => _charged += bytes;

    /// <summary>Drops a gathered body, whose message has been dealt with.</summary>
    public void End()
    {
        if (_charged == 0) return;
        _body.Dispose();
        budget.Return(_charged);
        _charged = 0;
    }

    /// <summary>Drops everything.</summary>
    public void Dispose()
    {
        End();
        _phase = Phase.Idle;
        _body.Dispose();
        _head.Dispose();
    }

    private static Span<byte> Reserve(PooledBuffer buffer, int length)
    {
        var span = buffer.GetSpan(length)[..length];
        buffer.Advance(length);
        return span;
    }
}
