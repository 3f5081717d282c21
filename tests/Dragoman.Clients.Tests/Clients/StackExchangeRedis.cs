using System.Reflection;
using Dragoman.Clients.Tests.Reporting;
using StackExchange.Redis;

namespace Dragoman.Clients.Tests.Clients;

/// <summary>StackExchange.Redis, which most .NET programs use.</summary>
internal sealed class StackExchangeRedis : IForeignClient
{
    public static string Name => "StackExchange.Redis";

    public static Task<string> VersionAsync() => Task.FromResult(VersionOf(typeof(ConnectionMultiplexer)));

    /// <summary>Connects.</summary>
    public static Task<ConnectionMultiplexer> ConnectAsync(int port, RedisProtocol protocol, Action<ConfigurationOptions>? configure = null)
    {
        var options = new ConfigurationOptions { EndPoints = { { "127.0.0.1", port } }, Protocol = protocol, AbortOnConnectFail = true, ConnectTimeout = 30_000, SyncTimeout = 30_000, AsyncTimeout = 30_000, AllowAdmin = true };
        configure?.Invoke(options);
        return ConnectionMultiplexer.ConnectAsync(options);
    }

    /// <summary>The version that a package's assembly tells.</summary>
    internal static string VersionOf(Type type) =>
        type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
}
