using Dragoman.Broker.Channels;
using Dragoman.Redis.Sessions;
using Dragoman.Redis.Wire;

namespace Dragoman.Redis.Commands;

/// <summary>PUBSUB: who listens to what.</summary>
internal static class PubSubCommand
{
    public static Command Create() => Command.WithSubcommands(
        "pubsub",
        new("channels", -2, CommandFlags.PubSub, static (session, request) => Channels(session, request, session.FrontEnd.Channels)),
        new("numsub", -2, CommandFlags.PubSub, static (session, request) => Count(session, request, session.FrontEnd.Channels)),
        new("numpat", 2, CommandFlags.PubSub, static (session, _) => session.Reply.Integer(session.FrontEnd.Channels.PatternCount)),
        new("shardchannels", -2, CommandFlags.PubSub, static (session, request) => Channels(session, request, session.FrontEnd.Shards)),
        new("shardnumsub", -2, CommandFlags.PubSub, static (session, request) => Count(session, request, session.FrontEnd.Shards)),
        new("help", 2, CommandFlags.PubSub, static (session, _) => Help.Write(session, "PUBSUB", "CHANNELS [<pattern>]", "NUMPAT", "NUMSUB [<channel> ...]", "SHARDCHANNELS [<pattern>]", "SHARDNUMSUB [<shardchannel> ...]")));

    private static void Channels(RedisSession session, Request request, ChannelSpace space)
    {
        if (request.Count > 3)
        {
            session.Reply.Error($"ERR Unknown subcommand or wrong number of arguments for '{request.Text(1)}'. Try PUBSUB HELP.");
            return;
        }
        var found = space.Channels(request.Count == 3 ? new Glob(request[2]) : null);
        session.Reply.Array(found.Count);
        foreach (var name in found) session.Reply.Bulk(name.Span);
    }

    private static void Count(RedisSession session, Request request, ChannelSpace space)
    {
        session.Reply.Array(2 * (request.Count - 2));
        for (var i = 2; i < request.Count; i++)
        {
            session.Reply.Bulk(request[i]);
            session.Reply.Integer(space.CountOf(request[i]));
        }
    }
}
