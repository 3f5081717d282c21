namespace Dragoman.Fuzz.Fuzzing;

/// <summary>
/// A family of decoders under attack. All that happens with an input follows from its seed: the valid bytes that it
/// begins as, what is done to them, and how they are decoded.
/// </summary>
internal abstract class FuzzTarget
{
    /// <summary>What reports call it.</summary>
    public string Name => GetType().Name;

    /// <summary>What a failure calls the input at hand.</summary>
    public virtual string Input => Name;

    /// <summary>Bytes that a well-meaning writer could have written.</summary>
    public abstract byte[] Generate(Random random);

    /// <summary>
    /// Decodes bytes. Returns whether they were taken for good; throws <see cref="FuzzFailedException"/> where a decoder
    /// took them for good and was wrong, and nothing else but what <see cref="IsRefusal"/> knows.
    /// </summary>
    public abstract bool Decode(byte[] input, Random random);

    /// <summary>Whether an exception is the documented way to refuse bytes.</summary>
    public abstract bool IsRefusal(Exception error);

    /// <summary>Puts checksums right again after the bytes have changed, so that what lies behind them is reached.</summary>
    public virtual byte[] Seal(byte[] input) => input;

    /// <summary>The most bytes that decoding may allocate.</summary>
    public abstract long MostAllocated(byte[] input);
}

/// <summary>A decoder did what it must not.</summary>
internal sealed class FuzzFailedException(string message, Exception? inner = null) : Exception(message, inner);
