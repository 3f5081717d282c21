using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace Dragoman.Fuzz.Fuzzing;

/// <summary>
/// Feeds a target one input after the other for as long as it has, each from a seed of its own. An input fails the run
/// that lets an undocumented exception escape, allocates out of proportion, or does not come to an end.
/// </summary>
internal sealed class Fuzzer(FuzzTarget target)
{
    /// <summary>What takes so long, on however busy a machine, takes for ever.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(200);

    private long _inputs;
    private long _taken;
    private ulong _seed;
    private long _inputStart = Stopwatch.GetTimestamp();
    private Exception? _failure;

    /// <summary>Runs until the time is up.</summary>
    /// <exception cref="FuzzFailedException">An input failed; the message says which, and how to run it again.</exception>
    public async Task RunAsync(TimeSpan time, Action<string> print)
    {
        var first = FuzzOptions.OnlySeed ?? (ulong)Random.Shared.NextInt64(long.MinValue, long.MaxValue);
        print($"{target.Name}: {time.TotalSeconds:0.#} s from seed 0x{first:X16}");
        // A thread of its own: allocations are counted by thread, and an input that hangs cannot be called off.
        var thread = new Thread(() => Run(first, time)) { IsBackground = true, Name = target.Name };
        thread.Start();
        while (!await Task.Run(() => thread.Join(Tick)))
        {
            if (Stopwatch.GetElapsedTime(Interlocked.Read(ref _inputStart)) > Patience)
                throw new FuzzFailedException($"{target.Input} did not come to an end with the input of seed 0x{Volatile.Read(ref _seed):X16}; DRAGOMAN_FUZZ_SEED=0x{Volatile.Read(ref _seed):X16} runs it again.");
        }
        if (_failure is not null) throw _failure;
        print($"{target.Name}: {_inputs} inputs, {_taken} taken, {_inputs - _taken} refused");
        if (FuzzOptions.OnlySeed is null && _taken == 0) throw new FuzzFailedException($"{target.Name} took nothing, so it tested nothing but its first check.");
    }

    [SuppressMessage("Design", "CA1031", Justification = "It is thrown by who waits for the thread.")]
    private void Run(ulong first, TimeSpan time)
    {
        var start = Stopwatch.GetTimestamp();
        for (var seed = first; ; seed += 0x9E3779B97F4A7C15)
        {
            byte[] input = [];
            try
            {
                Volatile.Write(ref _seed, seed);
                Interlocked.Exchange(ref _inputStart, Stopwatch.GetTimestamp());
                var random = new Random((int)(seed ^ (seed >> 32)));
                input = Mutator.Mutate(target.Generate(random), random);
                if (random.Next(4) != 0) input = target.Seal(input);
                Try(input, random);
            }
            catch (Exception error)
            {
                _failure = new FuzzFailedException(
                    $"{target.Input} failed: {error.GetType().Name}: {error.Message}\nDRAGOMAN_FUZZ_SEED=0x{seed:X16} runs it again. The input, {input.Length} bytes: {Convert.ToHexString(input.AsSpan(0, Math.Min(input.Length, 2000)))}", error);
                return;
            }
            if (FuzzOptions.OnlySeed is not null || Stopwatch.GetElapsedTime(start) > time) return;
        }
    }

    private void Try(byte[] input, Random random)
    {
        _inputs++;
        // What a type costs when it is used first is not the input's.
        for (var attempt = 0; ; attempt++)
        {
            var again = new Random(random.Next());
            var before = GC.GetAllocatedBytesForCurrentThread();
            try
            {
                if (target.Decode((byte[])input.Clone(), again) && attempt == 0) _taken++;
            }
            catch (Exception error) when (target.IsRefusal(error))
            {
                // As it should be.
            }
            var allocated = GC.GetAllocatedBytesForCurrentThread() - before - input.Length;
            if (allocated <= target.MostAllocated(input)) return;
            if (attempt == 2) throw new FuzzFailedException($"{input.Length} bytes made {allocated}, and {target.MostAllocated(input)} are allowed.");
        }
    }
}
