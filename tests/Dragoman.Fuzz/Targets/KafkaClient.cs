using System.Buffers;
using System.Collections;
using System.Net;
using System.Reflection;
using Dragoman.Kafka;
using Dragoman.Kafka.Tests.Wire;
using Dragoman.Kafka.Wire;
using Dragoman.Storage.Records;

namespace Dragoman.Fuzz.Targets;

/// <summary>
/// Makes requests that get past a handler's first checks: of every key and version, with names that exist, small numbers
/// and real batches as often as not.
/// </summary>
internal sealed class KafkaClient
{
    private static readonly string[] Names = ["t0", "t1", "t2", "compacted", "g0", "g1", "tx0", "", "__consumer_offsets", "no such name", "x/y/z", "7", "1", "retention.ms", "cleanup.policy"];

    private static readonly MessageCodec[] Requests = [.. MessageCodec.All.Where(codec => codec.IsRequest)];

    /// <summary>A frame: length, header, body.</summary>
    public static byte[] Frame(Random random, int correlation, Func<ApiKey, bool>? only = null)
    {
        var choice = only is null ? Requests : [.. Requests.Where(codec => only(codec.ApiKey))];
        var codec = choice[random.Next(choice.Length)];
        var version = (short)random.Next(codec.Min, codec.Max + 1);
        var message = new MessageFiller(random.Next(), version).Fill(codec.Type);
        Tame(message, random, version);
        byte[] body;
        try
        {
            body = codec.Write(message, version);
        }
        catch (KafkaWireException)
        {
            body = codec.Write(new MessageFiller(random.Next(), version).Fill(codec.Type), version);
        }
        var header = new RequestHeader(codec.ApiKey, version, correlation, "fuzz");
        var output = new ArrayBufferWriter<byte>();
        var counter = KafkaWriter.Counting;
        header.Write(ref counter, version >= codec.FlexibleFrom);
        var writer = new KafkaWriter(output);
        writer.WriteInt32((int)counter.Written + body.Length);
        header.Write(ref writer, version >= codec.FlexibleFrom);
        writer.Flush();
        return [.. output.WrittenSpan, .. body];
    }

    private static void Tame(object message, Random random, short version)
    {
        foreach (var (property, field) in MessageFiller.Fields(message.GetType()))
        {
            if (!MessageFiller.Includes(field.Versions, version)) continue;
            var value = property.GetValue(message);
            if (Tamed(property, value, random, version) is { } tame) property.SetValue(message, tame);
        }
    }

    private static object? Tamed(PropertyInfo property, object? value, Random random, short version)
    {
        switch (value)
        {
            case string when random.Next(5) > 0:
                return Names[random.Next(Names.Length)];
            case int when property.Name is "NumPartitions" or "Count":
                return random.Next(-2, 8);
            case int when random.Next(4) > 0:
                return random.Next(-1, 4);
            case long when random.Next(4) > 0:
                return (long)random.Next(-2, 20);
            case short when random.Next(4) > 0:
                return (short)random.Next(-1, 3);
            case Records when random.Next(8) > 0:
                return new Records(new ReadOnlySequence<byte>(Batch(random)));
            case IList list:
                for (var i = 0; i < list.Count; i++)
                {
                    if (list[i] is string) list[i] = Names[random.Next(Names.Length)];
                    else if (list[i] is int) list[i] = random.Next(-1, 4);
                    else if (list[i] is { } item && MessageFiller.Fields(item.GetType()).Any()) Tame(item, random, version);
                }
                return null;
            case not null when MessageFiller.Fields(value.GetType()).Any():
                Tame(value, random, version);
                return null;
            default:
                return null;
        }
    }

    private static byte[] Batch(Random random)
    {
        using var builder = new RecordBatchBuilder();
        for (var n = random.Next(1, 4); n > 0; n--) builder.Add(random.Next(100_000), random.Next(2) == 0 ? NullableBytes.Null : "k"u8, new byte[random.Next(100)]);
        var isIdempotent = random.Next(2) == 0;
        return builder.Build(new BatchOptions
        {
            Codec = (CompressionCodec)random.Next(5),
            Producer = isIdempotent ? new BatchProducer(random.Next(5), (short)random.Next(2), random.Next(4)) : null,
            IsTransactional = isIdempotent && random.Next(4) == 0,
        }).ToArray();
    }

    /// <summary>Sends bytes over a connection without a socket, hangs up, and waits until the broker has closed. Returns how many bytes it answered.</summary>
    public static Task<long> SendAsync(KafkaFrontEnd frontEnd, byte[] bytes, TimeSpan patience)
    {
        var pipes = new ClientPipes();
        var session = frontEnd.CreateSession(pipes, "fuzz", new IPEndPoint(IPAddress.Loopback, 9092));
        return pipes.SendAsync(bytes, session.RunAsync(CancellationToken.None), patience);
    }
}
