using System.Buffers;
using Dragoman.Fuzz.Fuzzing;
using Dragoman.Kafka.Tests.Wire;
using Dragoman.Kafka.Wire;

namespace Dragoman.Fuzz.Targets;

/// <summary>Kafka's requests and responses, of every key and in every version.</summary>
internal sealed class KafkaMessages : FuzzTarget
{
    // An exception and its message, and the buffers that a decoded message starts with.
    private const long Overhead = 24 * 1024;
    private const long BytesPerInputByte = 96;

    private readonly (MessageCodec Codec, short Version)[] _versions =
        [.. MessageCodec.All.SelectMany(codec => Enumerable.Range(codec.Min, codec.Max - codec.Min + 1).Select(version => (codec, (short)version)))];

    private MessageCodec _codec = null!;
    private short _version;
    private long _allocated;

    public override byte[] Generate(Random random)
    {
        (_codec, _version) = _versions[random.Next(_versions.Length)];
        return _codec.Write(new MessageFiller(random.Next(), _version).Fill(_codec.Type), _version);
    }

    public override bool Decode(byte[] input, Random random)
    {
        object message;
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            message = _codec.Read(new ReadOnlySequence<byte>(input), _version);
        }
        finally
        {
            _allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }
        // What was read can be written, and says the same when it is read again.
        byte[] written;
        try
        {
            written = _codec.Write(message, _version);
        }
        catch (KafkaWireException)
        {
            // A text that was no text has grown beyond what this version can spell.
            return true;
        }
        MessageFiller.AssertSame(message, _codec.Read(new ReadOnlySequence<byte>(written), _version), $"{_codec.Type.Name} v{_version}");
        return true;
    }

    public override bool IsRefusal(Exception error) => error is KafkaWireException;

    // Writing and comparing are the test's, and cost what they cost.
    public override long MostAllocated(byte[] input) => _allocated <= Overhead + input.Length * BytesPerInputByte ? long.MaxValue : 0;
}
