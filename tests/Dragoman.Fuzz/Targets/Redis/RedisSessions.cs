using Dragoman.Broker.Topics;
using Dragoman.Fuzz.Fuzzing;
using Dragoman.Redis;

namespace Dragoman.Fuzz.Targets.Redis;

/// <summary>
/// Whole connections of Redis clients through sessions and commands of a broker: whatever they send, they are answered or
/// closed, the broker finds nothing unexpected, and holds nothing afterwards.
/// </summary>
internal sealed class RedisSessions : FuzzTarget, IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly FuzzBroker _broker;
    private readonly RedisFrontEnd _redis;

    private RedisSessions(FuzzBroker broker)
    {
        _broker = broker;
        _redis = new RedisFrontEnd(broker.Broker, new RedisOptions { MaxGatheredBytes = 4 << 20, MaxKeyBytes = 1 << 20 }, broker);
    }

    public static async Task<RedisSessions> StartAsync()
    {
        var sessions = new RedisSessions(await FuzzBroker.StartAsync());
        // A channel whose messages are kept.
        await sessions._broker.Broker.Topics.CreateAsync(TopicName.InDefault("t0"), 1, sessions._broker.Broker.Options.DefaultTopicSettings);
        return sessions;
    }

    public override byte[] Generate(Random random) => RedisClient.Requests(random, random.Next(1, 12));

    public override bool Decode(byte[] input, Random random) => DecodeAsync(input).GetAwaiter().GetResult();

    private async Task<bool> DecodeAsync(byte[] input)
    {
        var pipes = new ClientPipes();
        using var session = _redis.CreateSession(pipes);
        var answered = await pipes.SendAsync(input, session.RunAsync(), Patience);
        if (_broker.Errors.TryDequeue(out var error)) throw new FuzzFailedException($"The broker logged: {error}");
        if (_redis.Gathered.Used != 0) throw new FuzzFailedException($"{_redis.Gathered.Used} bytes are still held though the connection is gone.");
        if (_redis.Limits.Waiting != 0) throw new FuzzFailedException($"{_redis.Limits.Waiting} bytes still wait for somebody though the connection is gone.");
        if (!_redis.Channels.IsEmpty || !_redis.Shards.IsEmpty) throw new FuzzFailedException("Somebody still listens though the connection is gone.");
        if (_broker.Broker.Failed.IsCompleted) throw new FuzzFailedException($"The store stopped: {await _broker.Broker.Failed}");
        return answered > 0;
    }

    public override bool IsRefusal(Exception error) => false;

    // The work is spread over threads; what it holds is looked at instead.
    public override long MostAllocated(byte[] input) => long.MaxValue;

    public async ValueTask DisposeAsync()
    {
        _redis.Dispose();
        await _broker.DisposeAsync();
    }
}
