using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Dragoman.Admin.RabbitMq.Model;

/// <summary>
/// What names a binding among those between the same two ends: its <c>properties_key</c>. It is the routing key, encoded as
/// a form would, with a hash of the arguments behind a tilde where there are some (<c>rabbit_mgmt_format:pack_binding_props</c>).
/// Clients take it as it is.
/// </summary>
internal static class BindingKeys
{
    private const int HashBytes = 9;

    /// <summary>The key of a binding.</summary>
    public static string Of(string routingKey, JsonObject arguments)
    {
        if (arguments.Count > 0) return $"{Quote(routingKey)}~{Hash(arguments)}";
        return routingKey.Length == 0 ? "~" : Quote(routingKey);
    }

    private static string Hash(JsonObject arguments)
    {
        var text = string.Join('\n', arguments.OrderBy(static a => a.Key, StringComparer.Ordinal).Select(static a => $"{a.Key}={a.Value?.ToJsonString() ?? "null"}"));
        return Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)).AsSpan(0, HashBytes)).Replace('+', '-').Replace('/', '_');
    }

    private static string Quote(string text)
    {
        var quoted = new StringBuilder();
        foreach (var b in Encoding.UTF8.GetBytes(text))
        {
            if (char.IsAsciiLetterOrDigit((char)b) || b is (byte)'-' or (byte)'_' or (byte)'.') quoted.Append((char)b);
            else if (b == ' ') quoted.Append('+');
            else quoted.Append('%').Append(b.ToString("X2", System.Globalization.CultureInfo.InvariantCulture));
        }
        return quoted.ToString();
    }
}
