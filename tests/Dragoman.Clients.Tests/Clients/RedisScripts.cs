using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Clients;

/// <summary>ioredis, from npm.</summary>
internal sealed class IoRedis : IForeignClient
{
    public static string Name => "ioredis";

    public static Task<string> VersionAsync() => NodePackages.VersionAsync("ioredis");

    /// <summary>Runs one of the script's stories; fails if it does.</summary>
    public static async Task RunAsync(string story, int port, int protocol = 3) =>
        (await Scripts.NodeAsync("tests/Dragoman.Clients.Tests/scripts/node/redis/ioredis.js", [story, $"{port}", $"{protocol}"])).Succeeded();
}

/// <summary>node-redis, from npm.</summary>
internal sealed class NodeRedis : IForeignClient
{
    public static string Name => "node-redis";

    public static Task<string> VersionAsync() => NodePackages.VersionAsync("redis");

    /// <summary>Runs one of the script's stories; fails if it does.</summary>
    public static async Task RunAsync(string story, int port, int protocol) =>
        (await Scripts.NodeAsync("tests/Dragoman.Clients.Tests/scripts/node/redis/node_redis.js", [story, $"{port}", $"{protocol}"])).Succeeded();
}

/// <summary>Socket.IO's Redis adapter, from npm.</summary>
internal sealed class SocketIoAdapter : IForeignClient
{
    public static string Name => "@socket.io/redis-adapter";

    public static Task<string> VersionAsync() => NodePackages.VersionAsync("@socket.io/redis-adapter");

    /// <summary>Runs two nodes with an adapter; fails if that does.</summary>
    public static async Task RunAsync(string adapter, int port) =>
        (await Scripts.NodeAsync("tests/Dragoman.Clients.Tests/scripts/node/redis/socket_io.js", [adapter, $"{port}"])).Succeeded();
}

/// <summary>Debian's redis-py.</summary>
internal sealed class RedisPy : IForeignClient
{
    private const string Script = "tests/Dragoman.Clients.Tests/scripts/python/redis/redis_py.py";

    public static string Name => "redis-py";

    public static async Task<string> VersionAsync() => (await RunAsync("version", 0)).Trim();

    /// <summary>Runs one of the script's stories; fails if it does.</summary>
    public static async Task<string> RunAsync(string story, int port) => (await Scripts.PythonAsync(Script, [story, $"{port}"])).Succeeded().Output;
}

/// <summary>Debian's redis-cli.</summary>
internal sealed class RedisCli : IForeignClient
{
    public static string Name => "redis-cli";

    public static async Task<string> VersionAsync() => (await ForeignProcess.RunAsync("redis-cli", ["--version"])).Succeeded().Output.Trim().Split(' ')[^1];

    /// <summary>Runs it to its end; fails if it does.</summary>
    public static async Task<string> RunAsync(string input, params string[] arguments) =>
        (await ForeignProcess.RunAsync("redis-cli", arguments, System.Text.Encoding.UTF8.GetBytes(input))).Succeeded().Output;
}
