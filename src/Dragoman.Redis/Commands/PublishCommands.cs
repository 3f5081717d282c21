namespace Dragoman.Redis.Commands;

/// <summary>PUBLISH and SPUBLISH.</summary>
internal static class PublishCommands
{
    public static IReadOnlyList<Command> All { get; } =
    [
        new("publish", 3, CommandFlags.PubSub | CommandFlags.Fast | CommandFlags.Publishes, static (session, request) => session.Publisher.Publish(request[1], request[2])),
        new("spublish", 3, CommandFlags.PubSub | CommandFlags.Fast | CommandFlags.Publishes, static (session, request) => session.Publisher.PublishToShard(request[1], request[2])),
    ];
}
