using Dragoman.Protocols.Framing;

namespace Dragoman.Amqp.Sessions;

/// <summary>
/// What publishers are paused for: a full disk, or little room left for messages that are arriving. Sessions have it
/// looked at about once a second, and at once when a publish was refused.
/// </summary>
/// <param name="broker">Whose disk it is.</param>
/// <param name="gathered">What messages take that are arriving.</param>
internal sealed class Alarms(Broker.Broker broker, ByteBudget gathered)
{
    private volatile string? _reason;
    private volatile bool _lowOnMemory;

    /// <summary>Why publishers are paused, in RabbitMQ's words; null while they are not.</summary>
    public string? Reason => _reason;

    /// <summary>Whether little room is left for messages that are arriving.</summary>
    public bool IsLowOnMemory => _lowOnMemory;

    /// <summary>Looks at disk and memory. An alarm of memory ends well below where it began.</summary>
    public void Look()
    {
        var used = gathered.Used;
        _lowOnMemory = used > (_lowOnMemory ? gathered.Limit / 2 : gathered.Limit / 4 * 3);
        _reason = (_lowOnMemory, broker.IsDiskFull) switch
        {
            (false, false) => null,
            (true, false) => "low on memory",
            (false, true) => "low on disk",
            _ => "low on memory & disk",
        };
    }
}
