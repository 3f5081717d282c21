using System.Buffers;
using Dragoman.Amqp.Wire;

namespace Dragoman.Fuzz.Targets.Amqp;

/// <summary>A method of AMQP, whatever its type.</summary>
internal abstract class AmqpMethod
{
    /// <summary>All that are declared.</summary>
    public static IReadOnlyList<AmqpMethod> All { get; } =
    [
        .. typeof(MethodId).Assembly.GetTypes()
            .Where(type => type.IsValueType && type.GetInterfaces().Any(i => i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IMethod<>)))
            .OrderBy(type => type.Name, StringComparer.Ordinal)
            .Select(type => (AmqpMethod)Activator.CreateInstance(typeof(Of<>).MakeGenericType(type))!),
    ];

    /// <summary>The method of a type.</summary>
    public static AmqpMethod Named(string name) => All.Single(method => method.Name == name);

    public abstract string Name { get; }

    public abstract MethodId Id { get; }

    /// <summary>Class, number and fields of one with some content.</summary>
    public abstract byte[] Make(Random random);

    /// <summary>Reads the fields, and writes what was read.</summary>
    public abstract byte[] ReadAndWrite(ReadOnlySpan<byte> fields);

    /// <summary>Reads the fields.</summary>
    public abstract void Read(ReadOnlySpan<byte> fields);

    private sealed class Of<T> : AmqpMethod
        where T : struct, IMethod<T>
    {
        public override string Name => typeof(T).Name;

        public override MethodId Id => T.Id;

        public override byte[] Make(Random random)
        {
            var method = new T();
            var filler = new AmqpFiller(random);
            T.Walk(ref method, ref filler);
            return Write(method);
        }

        public override byte[] ReadAndWrite(ReadOnlySpan<byte> fields) => Write(MethodCodec.Read<T>(fields));

        public override void Read(ReadOnlySpan<byte> fields) => MethodCodec.Read<T>(fields);

        private static byte[] Write(T method)
        {
            var buffer = new ArrayBufferWriter<byte>();
            MethodCodec.Write(buffer, method);
            return buffer.WrittenSpan.ToArray();
        }
    }
}
