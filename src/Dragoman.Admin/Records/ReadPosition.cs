using System.Globalization;
using Dragoman.Admin.Http;
using Dragoman.Broker.Topics;

namespace Dragoman.Admin.Records;

/// <summary>Where a reader wants to begin: <c>beginning</c> or <c>earliest</c>, <c>end</c> or <c>latest</c>, an offset, or a time.</summary>
/// <param name="Offset">The offset; -2 for the beginning, -1 for the end, null where a time counts.</param>
/// <param name="Time">Milliseconds since 1970.</param>
internal readonly record struct ReadPosition(long? Offset, long Time)
{
    private const long Beginning = -2;
    private const long AtEnd = -1;

    /// <summary>Whether it is an offset of a certain partition.</summary>
    public bool IsOffset => Offset >= 0;

    /// <summary>Whether it is the beginning.</summary>
    public bool IsBeginning => Offset == Beginning;

    /// <summary>Whether it is the end.</summary>
    public bool IsEnd => Offset == AtEnd;

    /// <summary>Reads a position.</summary>
    /// <param name="text">What the client wrote.</param>
    /// <param name="time">The clock, for ages.</param>
    /// <param name="field">Where it was written, for the error.</param>
    /// <exception cref="ProblemException">It is none of the four.</exception>
    public static ReadPosition Parse(string text, TimeProvider time, string field = "from")
    {
        if (text is "" or "beginning" or "earliest") return new ReadPosition(Beginning, 0);
        if (text is "end" or "latest") return new ReadPosition(AtEnd, 0);
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var offset)) return new ReadPosition(offset, 0);
        if (text.Length >= 10 && text[4] == '-' && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)) return new ReadPosition(null, at.ToUnixTimeMilliseconds());
        if (TryParseAge(text, out var age)) return new ReadPosition(null, (time.GetUtcNow() - age).ToUnixTimeMilliseconds());
        throw ProblemException.BadRequest($"{field} is '{text}'; it should be {(field == "to" ? "earliest, latest" : "beginning, end")}, an offset, a time such as 2026-01-31T12:00:00Z, or an age such as 15m.");
    }

    /// <summary>The offset that it means in a partition.</summary>
    /// <exception cref="ProblemException">The partition ends before it.</exception>
    public async ValueTask<long> ResolveAsync(IPartitionHandle partition, PartitionOffsets offsets, ReadIsolation isolation = ReadIsolation.Stable)
    {
        var end = isolation == ReadIsolation.Stable ? offsets.LastStable : offsets.HighWatermark;
        switch (Offset)
        {
            case Beginning:
                return offsets.Start;
            case AtEnd:
                return end;
            case { } offset:
                if (offset > offsets.HighWatermark)
                    throw ProblemException.BadRequest($"Partition {partition.Index} has no offset {offset}: it ends before offset {offsets.HighWatermark}.");
                // What retention has taken is skipped, as every record tells its offset.
                return Math.Max(offset, offsets.Start);
            default:
                return (await partition.FindByTimeAsync(Time, isolation))?.Offset ?? end;
        }
    }

    private static bool TryParseAge(string text, out TimeSpan age)
    {
        age = default;
        if (!double.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) || number > 1e6) return false;
        TimeSpan? unit = text[^1] switch
        {
            's' => TimeSpan.FromSeconds(1),
            'm' => TimeSpan.FromMinutes(1),
            'h' => TimeSpan.FromHours(1),
            'd' => TimeSpan.FromDays(1),
            _ => null,
        };
        age = (unit ?? default) * number;
        return unit is not null;
    }
}
