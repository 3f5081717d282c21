using Dragoman.Clients.Tests.Reporting;

namespace Dragoman.Clients.Tests.Clients;

/// <summary>A shop on MassTransit's RabbitMQ transport: see <c>tests/Applications</c>.</summary>
internal sealed class MassTransitApplication : IForeignClient
{
    private const string Program = "Dragoman.MassTransit";

    public static string Name => "MassTransit.RabbitMQ";

    public static Task<string> VersionAsync() =>
        Task.FromResult($"{ApplicationProcess.PackageVersion(Program, "MassTransit.RabbitMQ")} (RabbitMQ.Client {ApplicationProcess.PackageVersion(Program, "RabbitMQ.Client")})");

    /// <summary>Starts the whole shop.</summary>
    public static Task<ApplicationProcess> StartShopAsync(string amqp) => StartAsync(amqp, "shop");

    /// <summary>Starts one who does jobs and nothing else.</summary>
    public static Task<ApplicationProcess> StartWorkerAsync(string amqp) => StartAsync(amqp, "worker");

    private static Task<ApplicationProcess> StartAsync(string amqp, string role) => ApplicationProcess.StartAsync(Program, $"amqp://guest:guest@{amqp}/", role);
}
