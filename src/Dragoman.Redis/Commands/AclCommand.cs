using Dragoman.Redis.Access;

namespace Dragoman.Redis.Commands;

/// <summary>ACL: who a client is. Users and permissions are the broker's, and are changed where all protocols' are.</summary>
internal static class AclCommand
{
    public static Command Create() => Command.WithSubcommands(
        "acl",
        new("whoami", 2, CommandFlags.Fast, static (session, _) => session.Reply.Bulk(session.Identity.User ?? RedisLogin.DefaultUser)),
        new("users", 2, CommandFlags.Admin, static (session, _) =>
        {
            var users = session.FrontEnd.Login.Accounts.Users;
            session.Reply.Array(Math.Max(users.Count, 1));
            foreach (var user in users) session.Reply.Bulk(user.Name);
            if (users.Count == 0) session.Reply.Bulk(RedisLogin.DefaultUser);
        }),
        new("help", 2, CommandFlags.Fast, static (session, _) => Help.Write(session, "ACL", "USERS", "WHOAMI")));
}
