using System.Buffers;
using System.Reflection;
using Dragoman.Kafka.Wire;

namespace Dragoman.Kafka.Tests.Wire;

/// <summary>A declared message, for tests that walk all of them.</summary>
internal abstract class MessageCodec
{
    public static IReadOnlyList<MessageCodec> All { get; } = [.. typeof(KafkaApis).Assembly.GetTypes()
        .Where(type => type.GetInterfaces().Any(i =>
            i.IsGenericType && i.GetGenericTypeDefinition() == typeof(IKafkaMessage<>)) && type.IsClass)
        .OrderBy(type => type.Name, StringComparer.Ordinal)
        .Select(type => (MessageCodec)Activator.CreateInstance(typeof(Of<>).MakeGenericType(type))!)];

    public abstract Type Type { get; }

    public abstract ApiKey ApiKey { get; }

    public abstract short Min { get; }

    public abstract short Max { get; }

    public abstract short FlexibleFrom { get; }

    public bool IsRequest => Type.GetCustomAttribute<KafkaRequestAttribute>() is not null;

    public abstract object Read(ReadOnlySequence<byte> bytes, short version);

    public abstract byte[] Write(object message, short version);

    public static MessageCodec Named(string name) => All.Single(codec => codec.Type.Name == name);

    public static TheoryData<string, short> EveryVersion()
    {
        var data = new TheoryData<string, short>();
        foreach (MessageCodec codec in All)
        {
            for (short version = codec.Min; version <= codec.Max; version++)
                data.Add(codec.Type.Name, version);
        }

        return data;
    }

    private sealed class Of<T> : MessageCodec
        where T : IKafkaMessage<T>
    {
        public override Type Type => typeof(T);

        public override ApiKey ApiKey => T.ApiKey;

        public override short Min => T.MinVersion;

        public override short Max => T.MaxVersion;

        public override short FlexibleFrom => T.FlexibleFrom;

        public override object Read(ReadOnlySequence<byte> bytes, short version) => KafkaFrame.Read<T>(bytes, version);

        public override byte[] Write(object message, short version)
        {
            KafkaWriter counter = KafkaWriter.Counting;
            ((T)message).Write(ref counter, version);
            var output = new ArrayBufferWriter<byte>();
            var writer = new KafkaWriter(output);
            ((T)message).Write(ref writer, version);
            writer.Flush();
            Assert.Equal(counter.Written, output.WrittenCount);
            Assert.Equal(writer.Written, output.WrittenCount);
            return output.WrittenSpan.ToArray();
        }
    }
}
