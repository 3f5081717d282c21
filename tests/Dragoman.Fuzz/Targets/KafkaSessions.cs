using Dragoman.Fuzz.Fuzzing;
using Dragoman.Kafka;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Fuzz.Targets;

/// <summary>
/// Requests of every kind, several on a connection, through sessions and handlers of a broker: whatever is in them, they are
/// answered or the connection is closed, the broker finds nothing unexpected, and holds nothing afterwards.
/// </summary>
internal sealed class KafkaSessions : FuzzTarget, IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly FuzzBroker _broker;
    private int _runs;

    private KafkaSessions(FuzzBroker broker) => _broker = broker;

    public static async Task<KafkaSessions> StartAsync() => new(await FuzzBroker.StartAsync());

    public override byte[] Generate(Random random)
    {
        var frames = new List<byte>();
        for (var n = random.Next(1, 6); n > 0; n--) frames.AddRange(KafkaClient.Frame(random, n));
        return [.. frames];
    }

    public override bool Decode(byte[] input, Random random) => DecodeAsync(input).GetAwaiter().GetResult();

    private async Task<bool> DecodeAsync(byte[] input)
    {
        if (_runs++ % 500 == 0) await ResetAsync();
        var answered = await KafkaClient.SendAsync(_broker.Kafka, input, Patience);
        if (_broker.Errors.TryDequeue(out var error)) throw new FuzzFailedException($"The broker logged: {error}");
        if (_broker.Kafka.Budget.Used != 0) throw new FuzzFailedException($"{_broker.Kafka.Budget.Used} bytes are still held though the connection is gone.");
        if (_broker.Broker.Failed.IsCompleted) throw new FuzzFailedException($"The store stopped: {await _broker.Broker.Failed}");
        return answered > 0;
    }

    /// <summary>Begins anew with a few topics: the inputs create many.</summary>
    private async Task ResetAsync()
    {
        foreach (var topic in _broker.Broker.Topics.List()) await _broker.Broker.Topics.DeleteAsync(topic.Name);
        foreach (var name in new[] { "t0", "t1", "t2" })
            await _broker.Broker.Topics.CreateAsync(new(Dragoman.Broker.Namespaces.NamespaceName.Default, name), 3, _broker.Broker.Options.DefaultTopicSettings);
    }

    public override bool IsRefusal(Exception error) => false;

    // The work is spread over threads; what it holds is looked at instead.
    public override long MostAllocated(byte[] input) => long.MaxValue;

    public ValueTask DisposeAsync() => _broker.DisposeAsync();
}
