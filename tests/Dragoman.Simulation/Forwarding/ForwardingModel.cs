using System.Globalization;

namespace Dragoman.Simulation.Forwarding;

/// <summary>What is known of the values that producers sent, and where each was seen. It outlives the broker.</summary>
internal sealed class ForwardingModel
{
    private readonly Dictionary<(string Queue, string Value), long> _seen = [];
    private readonly Dictionary<(string Queue, int Partition), int> _last = [];

    /// <summary>Values that were acknowledged, in the order in which they were sent to their partition.</summary>
    public List<string>[] Acknowledged { get; } = [[], []];

    /// <summary>A value of a partition: it begins with where it was sent, and counts up.</summary>
    public static string ValueOf(int partition, int number) => string.Create(CultureInfo.InvariantCulture, $"{partition}/{number}");

    /// <summary>How many different values a queue has shown.</summary>
    public int CountOf(string queue) => _seen.Keys.Count(k => k.Queue == queue);

    /// <summary>A queue shows a value at an offset: it has each at one, and those of a partition in order.</summary>
    public void See(string queue, string value, long offset, bool ordered)
    {
        if (_seen.TryGetValue((queue, value), out var known))
        {
            Check(known == offset, $"queue '{queue}' has {value} once, not at {known} and at {offset}");
            return;
        }
        _seen.Add((queue, value), offset);
        var separator = value.IndexOf('/', StringComparison.Ordinal);
        var (partition, number) = (int.Parse(value.AsSpan(0, separator), CultureInfo.InvariantCulture), int.Parse(value.AsSpan(separator + 1), CultureInfo.InvariantCulture));
        if (ordered && _last.TryGetValue((queue, partition), out var last)) Check(number > last, $"queue '{queue}' has {value} after number {last} of its partition");
        _last[(queue, partition)] = number;
    }

    /// <summary>A queue has shown everything that was acknowledged.</summary>
    public void CheckComplete(string queue)
    {
        foreach (var values in Acknowledged)
            foreach (var value in values) Check(_seen.ContainsKey((queue, value)), $"queue '{queue}' has {value}, which was acknowledged");
    }

    public static void Check(bool holds, string what)
    {
        if (!holds) throw new InvalidOperationException($"It does not hold that {what}.");
    }
}
