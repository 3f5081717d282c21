using System.Text;

namespace Dragoman.Fuzz.Targets.Redis;

/// <summary>What well-meaning Redis clients send.</summary>
internal static class RedisClient
{
    private static readonly string[] Words =
    [
        "PING", "ECHO", "HELLO", "AUTH", "SELECT", "RESET", "CLIENT", "COMMAND", "CONFIG", "INFO", "SUBSCRIBE", "UNSUBSCRIBE", "PSUBSCRIBE", "PUNSUBSCRIBE", "SSUBSCRIBE", "SUNSUBSCRIBE",
        "PUBLISH", "SPUBLISH", "PUBSUB", "MULTI", "EXEC", "DISCARD", "WATCH", "GET", "SET", "DEL", "EXISTS", "EXPIRE", "TTL", "PERSIST", "INCR", "DECRBY", "APPEND", "SCAN", "KEYS", "MSET", "MGET",
        "TYPE", "FLUSHALL", "ACL", "TIME", "WAIT", "CLUSTER",
    ];

    private static readonly string[] Arguments =
    [
        "a", "b", "a*", "[a-z]?", "t0", "ex", "2", "3", "0", "-1", "9223372036854775807", "EX", "PX", "NX", "XX", "GET", "KEEPTTL", "MATCH", "COUNT", "LIST", "INFO", "KILL", "ID", "TYPE", "pubsub",
        "SETNAME", "REPLY", "ON", "OFF", "SKIP", "CHANNELS", "NUMSUB", "NUMPAT", "SHARDNUMSUB", "DOCS", "GETKEYS", "notify-keyspace-events", "KEA", "maxmemory", "", "\0\r\n",
    ];

    /// <summary>Some requests, as arrays or as lines.</summary>
    public static byte[] Requests(Random random, int count)
    {
        var text = new StringBuilder();
        for (; count > 0; count--)
        {
            List<string> words = [Words[random.Next(Words.Length)]];
            for (var n = random.Next(5); n > 0; n--) words.Add(random.Next(20) == 0 ? new string('x', random.Next(5000)) : Arguments[random.Next(Arguments.Length)]);
            if (random.Next(8) == 0)
            {
                text.Append(string.Join(' ', words.Select(word => $"\"{word.Replace("\r\n", "\\r\\n", StringComparison.Ordinal)}\""))).Append("\r\n");
                continue;
            }
            text.Append('*').Append(words.Count).Append("\r\n");
            foreach (var word in words) text.Append('$').Append(word.Length).Append("\r\n").Append(word).Append("\r\n");
        }
        return Encoding.Latin1.GetBytes(text.ToString());
    }
}
