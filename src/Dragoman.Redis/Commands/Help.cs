using System.Text;
using Dragoman.Redis.Sessions;

namespace Dragoman.Redis.Commands;

/// <summary>What HELP answers.</summary>
internal static class Help
{
    /// <summary>Writes it.</summary>
    public static void Write(RedisSession session, string command, params string[] subcommands)
    {
        session.Reply.Array(subcommands.Length + 3);
        session.Reply.Simple(Encoding.ASCII.GetBytes($"{command} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"));
        foreach (var subcommand in subcommands) session.Reply.Simple(Encoding.ASCII.GetBytes(subcommand));
        session.Reply.Simple("HELP"u8);
        session.Reply.Simple("    Print this help."u8);
    }
}
