using Dragoman.Clients.Tests.Reporting;

namespace Dragoman.Clients.Tests.Clients;

/// <summary>An application on Wolverine's RabbitMQ transport: see <c>tests/Applications</c>.</summary>
internal sealed class WolverineRabbitMqApplication : IForeignClient
{
    private const string Program = "Dragoman.Wolverine.RabbitMq";

    public static string Name => "WolverineFx.RabbitMQ";

    public static Task<string> VersionAsync() =>
        Task.FromResult($"{ApplicationProcess.PackageVersion(Program, "WolverineFx.RabbitMQ")} (RabbitMQ.Client {ApplicationProcess.PackageVersion(Program, "RabbitMQ.Client")})");

    /// <summary>Starts it, and waits until it listens.</summary>
    public static Task<ApplicationProcess> StartAsync(string amqp) => ApplicationProcess.StartAsync(Program, $"amqp://guest:guest@{amqp}/");
}
