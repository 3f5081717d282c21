using System.Globalization;
using System.Text.Json.Nodes;
using Confluent.Kafka;
using Dragoman.Wolverine;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Wolverine;
using Wolverine.Kafka;

// dragoman-wolverine KAFKA TOPIC GROUP: an application as its users write it, which publishes orders and handles them.
// A line 'publish FROM TO' on its input has it publish; it tells what it has handled, and ends with its input.
if (args is ["version"])
{
    // The transport's assembly bears no version, its package does.
    var packages = JsonNode.Parse(File.ReadAllText(Path.ChangeExtension(typeof(Order).Assembly.Location, "deps.json")))!["libraries"]!.AsObject().Select(package => package.Key.Split('/'));
    string Version(string name) => packages.Single(package => package[0] == name)[1];
    Console.WriteLine($"{Version("WolverineFx.Kafka")} (Confluent.Kafka {Version("Confluent.Kafka")}, librdkafka {Library.VersionString})");
    return;
}
var (kafka, topic, group) = (args[0], args[1], args[2]);
var builder = Host.CreateApplicationBuilder();
builder.Logging.ClearProviders().AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
builder.UseWolverine(options =>
{
    options.ServiceName = group;
    options.UseKafka(kafka).AutoProvision().ConfigureConsumers(consumer =>
    {
        consumer.GroupId = group;
        consumer.AutoOffsetReset = AutoOffsetReset.Earliest;
        consumer.SessionTimeoutMs = 6_000;
    });
    options.PublishMessage<Order>().ToKafkaTopic(topic);
    options.ListenToKafkaTopic(topic);
});
using var host = builder.Build();
await host.StartAsync();
Console.WriteLine("ready");
using var scope = host.Services.CreateScope();
var bus = scope.ServiceProvider.GetRequiredService<IMessageBus>();
while (Console.ReadLine() is { } line)
{
    var words = line.Split(' ');
    var (from, to) = (int.Parse(words[1], CultureInfo.InvariantCulture), int.Parse(words[2], CultureInfo.InvariantCulture));
    for (var number = from; number < to; number++) await bus.PublishAsync(new Order(number));
    Console.WriteLine("published");
}
await host.StopAsync();

namespace Dragoman.Wolverine
{
    public sealed record Order(int Number);

    public static class OrderHandler
    {
        public static void Handle(Order order) => Console.WriteLine($"handled {order.Number}");
    }
}
