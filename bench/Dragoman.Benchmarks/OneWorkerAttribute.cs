using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Jobs;

namespace Dragoman.Benchmarks;

/// <summary>
/// A job whose thread pool has one worker. Pools of objects keep some for each thread and core; what is taken on one and
/// given back on another, by chance, is made anew now and then. With one worker the bytes allocated are those that the
/// code needs, and the same in every run.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
internal sealed class OneWorkerAttribute(int launchCount, int warmupCount, int iterationCount, int invocationCount) : Attribute, IConfigSource
{
    public IConfig Config { get; } = ManualConfig.CreateEmpty().AddJob(
        Job.Default
            .WithStrategy(RunStrategy.Throughput)
            .WithLaunchCount(launchCount)
            .WithWarmupCount(warmupCount)
            .WithIterationCount(iterationCount)
            .WithInvocationCount(invocationCount)
            .WithUnrollFactor(1)
            .WithEnvironmentVariable("DOTNET_ThreadPool_ForceMinWorkerThreads", "1")
            .WithEnvironmentVariable("DOTNET_ThreadPool_ForceMaxWorkerThreads", "1"));
}
