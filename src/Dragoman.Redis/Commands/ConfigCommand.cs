using System.Globalization;
using System.Text;
using Dragoman.Broker.Channels;
using Dragoman.Redis.Keys;
using Dragoman.Redis.Sessions;
using Dragoman.Redis.Wire;

namespace Dragoman.Redis.Commands;

/// <summary>CONFIG: the settings of Redis that mean something here, and those that client libraries ask for. Changes last as long as the process.</summary>
internal static class ConfigCommand
{
    private const string OutputLimit = "client-output-buffer-limit";

    public static Command Create() => Command.WithSubcommands(
        "config",
        new("get", -3, CommandFlags.None, Get),
        new("set", -4, CommandFlags.Admin, Set),
        new("resetstat", 2, CommandFlags.Admin, static (session, _) => session.Reply.Ok()),
        new("help", 2, CommandFlags.None, static (session, _) => Help.Write(session, "CONFIG", "GET <pattern>", "SET <directive> <value>", "RESETSTAT")));

    private static List<(string Name, string Value)> Settings(RedisFrontEnd frontEnd) =>
    [
        ("appendonly", "no"),
        (OutputLimit, $"normal {Text(frontEnd.Limits.Normal)} slave 268435456 67108864 60 pubsub {Text(frontEnd.Limits.PubSub)}"),
        ("databases", ReplyWriter.Text(KeyStore.Databases)),
        ("maxmemory", ReplyWriter.Text(frontEnd.Keys.MaxMemory)),
        ("maxmemory-policy", frontEnd.Keys.Evicts ? "allkeys-lru" : "noeviction"),
        ("notify-keyspace-events", frontEnd.Keys.Events.Flags),
        ("proto-max-bulk-len", ReplyWriter.Text(RequestParser.MaxBulk)),
        ("replica-read-only", "yes"),
        ("save", ""),
        ("slave-read-only", "yes"),
        ("tcp-keepalive", "300"),
        ("timeout", "0"),
    ];

    private static string Text(OutputLimit limit) => string.Create(CultureInfo.InvariantCulture, $"{limit.Hard} {limit.Soft} {limit.SoftSeconds}");

    private static void Get(RedisSession session, Request request)
    {
        List<(string Name, string Value)> found = [];
        var settings = Settings(session.FrontEnd);
        for (var i = 2; i < request.Count; i++)
        {
            var glob = new Glob(Encoding.UTF8.GetBytes(request.Text(i).ToLowerInvariant()));
            foreach (var setting in settings)
                if (glob.Matches(Encoding.ASCII.GetBytes(setting.Name)) && !found.Contains(setting)) found.Add(setting);
        }
        session.Reply.Map(found.Count);
        foreach (var (name, value) in found)
        {
            session.Reply.Bulk(name);
            session.Reply.Bulk(value);
        }
    }

    private static void Set(RedisSession session, Request request)
    {
        if (request.Count % 2 != 0)
        {
            session.Reply.Error(Errors.Syntax);
            return;
        }
        for (var i = 2; i < request.Count; i += 2)
        {
            var name = request.Text(i).ToLowerInvariant();
            if (Change(session.FrontEnd, name, request.Text(i + 1)) is not { } problem) continue;
            session.Reply.Error(problem);
            return;
        }
        session.Reply.Ok();
    }

    /// <summary>Changes a setting; says what is wrong if it cannot.</summary>
    private static string? Change(RedisFrontEnd frontEnd, string name, string value)
    {
        switch (name)
        {
            case "notify-keyspace-events":
                return frontEnd.Keys.Events.TrySet(value) ? null : Failed(name, "Invalid event class character. Use 'Ag$lshzxeKEtmdn'.");
            case "maxmemory":
                if (!TryReadSize(value, out var bytes)) return Failed(name, "argument must be a memory value");
                frontEnd.Keys.MaxMemory = bytes;
                return null;
            case "maxmemory-policy":
                if (value is not ("noeviction" or "allkeys-lru")) return Failed(name, "argument(s) must be one of the following: noeviction, allkeys-lru");
                frontEnd.Keys.Evicts = value == "allkeys-lru";
                return null;
            case OutputLimit:
                return TrySetLimits(frontEnd, value) ? null : Failed(name, "Error in client-output-buffer-limit configuration");
            default:
                var known = Settings(frontEnd).Find(setting => setting.Name == name);
                if (known.Name is null) return $"ERR Unknown option or number of arguments for CONFIG SET - '{name}'";
                // To set what is so anyway is no change.
                return known.Value == value ? null : Failed(name, "can't set immutable config");
        }
    }

    private static string Failed(string name, string reason) => $"ERR CONFIG SET failed (possibly related to argument '{name}') - {reason}";

    private static bool TrySetLimits(RedisFrontEnd frontEnd, string value)
    {
        var words = value.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 0 || words.Length % 4 != 0) return false;
        var (normal, pubSub) = (frontEnd.Limits.Normal, frontEnd.Limits.PubSub);
        for (var i = 0; i < words.Length; i += 4)
        {
            if (!TryReadSize(words[i + 1], out var hard) || !TryReadSize(words[i + 2], out var soft)
                || !int.TryParse(words[i + 3], NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) return false;
            var limit = new OutputLimit(hard, soft, seconds);
            switch (words[i].ToUpperInvariant())
            {
                case "NORMAL":
                    normal = limit;
                    break;
                case "PUBSUB":
                    pubSub = limit;
                    break;
                case "SLAVE" or "REPLICA":
                    break;
                default:
                    return false;
            }
        }
        frontEnd.Limits.Normal = normal;
        frontEnd.Limits.PubSub = pubSub;
        return true;
    }

    private static bool TryReadSize(string text, out long bytes)
    {
        var unit = text.TrimStart([.. "0123456789"]).ToUpperInvariant();
        var factor = unit switch { "" or "B" => 1L, "K" => 1000, "KB" => 1024, "M" => 1000_000, "MB" => 1 << 20, "G" => 1000_000_000, "GB" => 1 << 30, _ => 0 };
        bytes = 0;
        if (factor == 0 || !long.TryParse(text.AsSpan(0, text.Length - unit.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > long.MaxValue / factor) return false;
        bytes = number * factor;
        return true;
    }
}
