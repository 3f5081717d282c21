using Dragoman.Fuzz.Fuzzing;
using Dragoman.Fuzz.Targets;
using Dragoman.Fuzz.Targets.Aws;
using Dragoman.Fuzz.Targets.Redis;

namespace Dragoman.Fuzz;

/// <summary>Every decoder of what clients send, fed with damaged input for as long as the run has for it.</summary>
public sealed class FuzzTests(ITestOutputHelper output)
{
    [Fact]
    public Task Kafka_messages() => RunAsync(new KafkaMessages());

    [Fact]
    public async Task Kafka_sessions()
    {
        await using var sessions = await KafkaSessions.StartAsync();
        await RunAsync(sessions);
    }

    [Fact]
    public async Task Record_batches()
    {
        using var batches = new RecordBatchInputs();
        await RunAsync(batches);
    }

    [Fact]
    public Task Compressed_bytes() => RunAsync(new CompressedBytes());

    [Fact]
    public Task Amqp_frames() => RunAsync(new AmqpFrames());

    [Fact]
    public async Task Amqp_sessions()
    {
        await using var sessions = await AmqpSessions.StartAsync();
        await RunAsync(sessions);
    }

    [Fact]
    public async Task Admin_requests()
    {
        await using var requests = await AdminRequests.StartAsync();
        await RunAsync(requests);
    }

    [Fact]
    public Task Redis_requests() => RunAsync(new RedisRequests());

    [Fact]
    public async Task Redis_sessions()
    {
        await using var sessions = await RedisSessions.StartAsync();
        await RunAsync(sessions);
    }

    [Fact]
    public async Task Aws_requests()
    {
        await using var requests = await AwsRequests.StartAsync();
        await RunAsync(requests);
    }

    [Fact]
    public Task Filter_policies() => RunAsync(new FilterPolicies());

    private Task RunAsync(FuzzTarget target) => new Fuzzer(target).RunAsync(FuzzOptions.Time, output.WriteLine);
}
