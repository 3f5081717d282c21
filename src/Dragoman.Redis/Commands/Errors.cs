using System.Text;
using Dragoman.Redis.Wire;

namespace Dragoman.Redis.Commands;

/// <summary>Redis' errors, word for word: libraries and people look for them (Redis 7, <c>server.c</c>).</summary>
internal static class Errors
{
    public const string NoAuthentication = "NOAUTH Authentication required.";
    public const string WrongPassword = "WRONGPASS invalid username-password pair or user is disabled.";
    public const string NoChannelPermission = "NOPERM No permissions to access a channel";
    public const string Syntax = "ERR syntax error";
    public const string NotAnInteger = "ERR value is not an integer or out of range";
    public const string WouldOverflow = "ERR increment or decrement would overflow";
    public const string OutOfMemory = "OOM command not allowed when used memory > 'maxmemory'.";
    public const string NoProtocol = "NOPROTO unsupported protocol version";
    public const string NoCluster = "ERR This instance has cluster support disabled";
    public const string Aborted = "EXECABORT Transaction discarded because of previous errors.";
    public const string TooManySubscriptions = "ERR this connection listens to too many channels";

    private const int ShownBytes = 128;

    public static string UnknownCommand(Request request)
    {
        var shown = new StringBuilder();
        for (var i = 1; i < request.Count && shown.Length < ShownBytes; i++) shown.Append('\'').Append(Shown(request[i], ShownBytes - shown.Length)).Append("' ");
        return $"ERR unknown command '{Shown(request[0], ShownBytes)}', with args beginning with: {shown}";
    }

    public static string UnknownSubcommand(Command container, Request request) =>
        $"ERR unknown subcommand '{Shown(request[1], ShownBytes)}'. Try {container.Name.ToUpperInvariant()} HELP.";

    public static string WrongArity(Command command) => $"ERR wrong number of arguments for '{command.FullName}' command";

    public static string AbortedBecauseOf(string error) => $"EXECABORT Transaction discarded because of: {(error.StartsWith("ERR ", StringComparison.Ordinal) ? error[4..] : error)}";

    public static string InvalidExpiry(string command) => $"ERR invalid expire time in '{command}' command";

    public static string NotAllowedWhileSubscribed(Command command) =>
        $"ERR Can't execute '{command.FullName}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context";

    public static string NoCommandPermission(string user, Command command) =>
        $"NOPERM User {user} has no permissions to run the '{command.FullName}' command";

    private static string Shown(ReadOnlySpan<byte> bytes, int most) => Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, most)]);
}
