using Dragoman.Amqp;
using Dragoman.Amqp.Wire;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Queues;
using Dragoman.Fuzz.Fuzzing;
using Dragoman.Fuzz.Targets.Amqp;

namespace Dragoman.Fuzz.Targets;

/// <summary>
/// Whole connections of AMQP clients through sessions and handlers of a broker: whatever they send, they are answered or
/// closed, the broker finds nothing unexpected, and holds nothing afterwards.
/// </summary>
internal sealed class AmqpSessions : FuzzTarget, IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly FuzzBroker _broker;
    private readonly AmqpFrontEnd _amqp;
    private int _runs;

    private AmqpSessions(FuzzBroker broker)
    {
        _broker = broker;
        _amqp = new AmqpFrontEnd(broker.Broker, new AmqpOptions { MaxMessageBytes = 1 << 20, MaxGatheredBytes = 4 << 20 }, broker);
    }

    public static async Task<AmqpSessions> StartAsync() => new(await FuzzBroker.StartAsync());

    public override byte[] Generate(Random random) => AmqpClient.Connection(random);

    public override byte[] Seal(byte[] input) => AmqpClient.Seal(input, ProtocolHeader.Size);

    public override bool Decode(byte[] input, Random random) => DecodeAsync(input).GetAwaiter().GetResult();

    private async Task<bool> DecodeAsync(byte[] input)
    {
        if (_runs++ % 300 == 0) await ResetAsync();
        var pipes = new ClientPipes();
        using var session = _amqp.CreateSession(pipes, "fuzz");
        var answered = await pipes.SendAsync(input, session.RunAsync(), Patience);
        if (_broker.Errors.TryDequeue(out var error)) throw new FuzzFailedException($"The broker logged: {error}");
        if (_amqp.Gathered.Used != 0) throw new FuzzFailedException($"{_amqp.Gathered.Used} bytes are still held though the connection is gone.");
        if (_broker.Broker.Failed.IsCompleted) throw new FuzzFailedException($"The store stopped: {await _broker.Broker.Failed}");
        return answered > 0;
    }

    /// <summary>Begins anew with a few queues: the inputs create many.</summary>
    private async Task ResetAsync()
    {
        foreach (var queue in _broker.Broker.Queues.List()) await _broker.Broker.Queues.DeleteAsync(queue);
        foreach (var topic in _broker.Broker.Routing.List()) await _broker.Broker.Routing.DeleteAsync(topic.Name);
        for (var i = 0; i < 3; i++) await _broker.Broker.Queues.DeclareAsync(new QueueName(NamespaceName.Default, $"q{i}"), new QueueSettings());
    }

    public override bool IsRefusal(Exception error) => false;

    // The work is spread over threads; what it holds is looked at instead.
    public override long MostAllocated(byte[] input) => long.MaxValue;

    public ValueTask DisposeAsync() => _broker.DisposeAsync();
}
