using System.Buffers;
using Dragoman.Amqp.Sessions;
using Dragoman.Amqp.Wire;
using Dragoman.Fuzz.Fuzzing;
using Dragoman.Fuzz.Targets.Amqp;

namespace Dragoman.Fuzz.Targets;

/// <summary>AMQP's frames, the methods of every kind in them, content headers, properties and tables.</summary>
internal sealed class AmqpFrames : FuzzTarget
{
    private const int FrameMax = 131_072;

    private static readonly Dictionary<uint, AmqpMethod> s_methods = AmqpMethod.All.ToDictionary(method => method.Id.Number);

    private long _allocated;

    public override byte[] Generate(Random random)
    {
        var output = new ArrayBufferWriter<byte>();
        for (var n = random.Next(1, 4); n > 0; n--)
        {
            if (random.Next(3) == 0) AmqpClient.Frame(output, FrameType.Header, 1, AmqpClient.Header(random.Next(1000), random));
            else AmqpClient.Frame(output, FrameType.Method, 1, AmqpMethod.All[random.Next(AmqpMethod.All.Count)].Make(random));
        }
        return output.WrittenSpan.ToArray();
    }

    public override byte[] Seal(byte[] input) => AmqpClient.Seal(input, 0);

    public override bool Decode(byte[] input, Random random)
    {
        _allocated = 0;
        var frames = 0;
        for (var rest = new ReadOnlySequence<byte>(input); FrameParser.TryRead(ref rest, FrameMax, out var header, out var payload); frames++)
        {
            if (header.Type == FrameType.Method) Method(payload.ToArray());
            else if (header.Type == FrameType.Header) Header(payload.ToArray());
        }
        return frames > 0;
    }

    private void Method(byte[] payload)
    {
        if (payload.Length < 4 || !s_methods.TryGetValue(new WireReader(payload).Long(), out var method)) return;
        Measure(() => method.Read(payload.AsSpan(4)));
        // What was read can be written, and read again.
        method.Read(method.ReadAndWrite(payload.AsSpan(4)).AsSpan(4));
    }

    private void Header(byte[] payload) => Measure(() =>
    {
        var properties = AmqpProperties.Read(ContentHeader.Read(payload).Properties);
        if (!properties.Headers.IsEmpty) new WireReader(properties.Headers).Fields();
    });

    private void Measure(Action decode)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            decode();
        }
        finally
        {
            _allocated += GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    public override bool IsRefusal(Exception error) => error is AmqpWireException;

    public override long MostAllocated(byte[] input) => _allocated <= (24 << 10) + input.Length * 200L ? long.MaxValue : 0;
}
