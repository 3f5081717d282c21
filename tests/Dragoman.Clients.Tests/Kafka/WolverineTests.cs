using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Kafka;

[Uses<WolverineApplication>]
public sealed class WolverineTests
{
    [Fact, Rows("K4", "K9", "K11", "K12")]
    public async Task An_application_publishes_and_handles_and_goes_on_over_restarts_of_itself_and_kills_of_the_broker()
    {
        await using var server = await DragomanServer.StartAsync("--partitions", "4");
        var kafka = server.Address("kafka");
        await using var publisher = await WolverineApplication.StartAsync(kafka, "orders", "shop");
        await using var first = await WolverineApplication.StartAsync(kafka, "orders", "shop");
        HashSet<int> Handled(params WolverineApplication[] applications) => [.. applications.SelectMany(a => a.Handled)];

        await publisher.PublishAsync(0, 100);
        await Eventually.TrueAsync(() => Handled(publisher, first).Count == 100, "all orders are handled by one of the two", TimeSpan.FromSeconds(60));

        // One goes, and the other one handles the rest.
        await first.StopAsync();
        await publisher.PublishAsync(100, 50);
        await Eventually.TrueAsync(() => Handled(publisher, first).Count == 150, "the one that is left handles all", TimeSpan.FromSeconds(60));

        await server.KillAsync();
        await server.StartAgainAsync();
        await publisher.PublishAsync(150, 50);
        await Eventually.TrueAsync(() => Handled(publisher, first).Count == 200, "it goes on when the broker is back", TimeSpan.FromSeconds(90));
        await publisher.StopAsync();

        // What was handled is not handled again by whoever comes next.
        await using var next = await WolverineApplication.StartAsync(kafka, "orders", "shop");
        await next.PublishAsync(200, 20);
        await Eventually.TrueAsync(() => Handled(next).Count == 20, "the next one handles what is new", TimeSpan.FromSeconds(60));
        Assert.Equal(Enumerable.Range(200, 20), next.Handled.Order());
        await next.StopAsync();
    }
}
