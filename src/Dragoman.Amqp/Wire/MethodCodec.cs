using System.Buffers;

namespace Dragoman.Amqp.Wire;

/// <summary>Reads and writes methods by their declarations.</summary>
internal static class MethodCodec
{
    /// <summary>Reads the fields behind a method's number. Bytes after the last field are left alone, as RabbitMQ does.</summary>
    /// <exception cref="AmqpWireException">The bytes are not the method's.</exception>
    public static T Read<T>(ReadOnlySpan<byte> arguments)
        where T : struct, IMethod<T>
    {
        var method = new T();
        var reader = new WireReader(arguments);
        T.Walk(ref method, ref reader);
        return method;
    }

    /// <summary>Writes a method's number and fields: the payload of a method frame.</summary>
    public static void Write<T>(IBufferWriter<byte> target, T method)
        where T : struct, IMethod<T>
    {
        var writer = new WireWriter(target);
        writer.Long(T.Id.Number);
        T.Walk(ref method, ref writer);
        writer.EndBits();
    }
}
