using System.Text;
using Dragoman.Broker.Channels;

namespace Dragoman.Redis.Keys;

/// <summary>
/// Keyspace notifications: what happens to keys, told on the channels <c>__keyspace@DB__:KEY</c> and
/// <c>__keyevent@DB__:EVENT</c>, as far as <c>notify-keyspace-events</c> asks for it.
/// </summary>
internal sealed class KeyEvents(ChannelSpace channels)
{
    // The order in which Redis writes them: all that A stands for, then the others.
    private const string Classes = "g$lshzxetd";
    private const string Others = "KEmn";

    private string _flags = "";

    /// <summary>What is told, in Redis' letters.</summary>
    public string Flags
    {
        get
        {
            var flags = _flags;
            var all = Classes.All(flags.Contains);
            return (all ? "A" : string.Concat(Classes.Where(flags.Contains))) + string.Concat(Others.Where(flags.Contains));
        }
    }

    /// <summary>Says what is to be told; false if there is no such letter.</summary>
    public bool TrySet(string flags)
    {
        if (!flags.All(static c => c == 'A' || Classes.Contains(c, StringComparison.Ordinal) || Others.Contains(c, StringComparison.Ordinal))) return false;
        _flags = flags.Contains('A', StringComparison.Ordinal) ? flags + Classes : flags;
        return true;
    }

    /// <summary>Tells of an event.</summary>
    /// <param name="kind">Its class.</param>
    /// <param name="name">Its name.</param>
    /// <param name="database">The database's number.</param>
    /// <param name="key">The key.</param>
    public void Tell(char kind, string name, int database, ReadOnlySpan<byte> key)
    {
        var flags = _flags;
        if (!flags.Contains(kind, StringComparison.Ordinal)) return;
        var nameBytes = Encoding.ASCII.GetBytes(name);
        if (flags.Contains('K', StringComparison.Ordinal)) channels.Publish([.. Encoding.ASCII.GetBytes($"__keyspace@{database}__:"), .. key], nameBytes);
        if (flags.Contains('E', StringComparison.Ordinal)) channels.Publish([.. Encoding.ASCII.GetBytes($"__keyevent@{database}__:"), .. nameBytes], key);
    }
}
