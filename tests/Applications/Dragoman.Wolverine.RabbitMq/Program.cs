using System.Globalization;
using Dragoman.Wolverine.RabbitMq;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Wolverine;
using Wolverine.ErrorHandling;
using Wolverine.RabbitMQ;

// dragoman-wolverine-rabbitmq ADDRESS: an application as its users write it. It does what the lines on its input say,
// tells what it has handled, and ends with its input.
var builder = Host.CreateApplicationBuilder();
builder.Logging.ClearProviders().AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
builder.UseWolverine(options =>
{
    options.ServiceName = "shop";
    options.UseRabbitMq(new Uri(args[0])).AutoProvision().UseQuorumQueues()
        .DeclareExchange("orders", exchange =>
        {
            exchange.ExchangeType = ExchangeType.Topic;
            exchange.BindQueue("orders", "order.#");
            exchange.BindQueue("books", "order.*.placed");
        });
    options.PublishMessagesToRabbitMqExchange<Order>("orders", order => $"order.{order.Number}.placed");
    options.PublishMessage<Reminder>().ToRabbitQueue("reminders").SendInline();
    options.PublishMessage<Fragile>().ToRabbitQueue("fragile");
    options.ListenToRabbitQueue("orders").ProcessInline().PreFetchCount(20);
    options.ListenToRabbitQueue("fragile").ProcessInline();
    options.ListenToRabbitQueue("questions").ProcessInline();
    options.ListenToRabbitQueue("reminders").BufferedInMemory();
    options.Policies.OnException<FragileException>().RetryOnce().Then.RetryWithCooldown(TimeSpan.FromMilliseconds(50)).Then.Requeue(4);
    options.Policies.DisableConventionalLocalRouting();
});
using var host = builder.Build();
await host.StartAsync();
Console.WriteLine("ready");
using var scope = host.Services.CreateScope();
var bus = scope.ServiceProvider.GetRequiredService<IMessageBus>();
while (Console.ReadLine() is { } line)
{
    var words = line.Split(' ');
    var numbers = words.Skip(1).Select(word => int.Parse(word, CultureInfo.InvariantCulture)).ToArray();
    switch (words[0])
    {
        case "publish":
            for (var number = numbers[0]; number < numbers[1]; number++) await bus.PublishAsync(new Order(number));
            break;
        case "fragile":
            await bus.PublishAsync(new Fragile(numbers[0], numbers[1]));
            break;
        case "ask":
            var answer = await bus.EndpointFor(new Uri("rabbitmq://queue/questions")).InvokeAsync<Answer>(new Question(numbers[0]), timeout: TimeSpan.FromSeconds(30));
            Console.WriteLine($"answer {numbers[0]} {answer.Square}");
            break;
        case "remind":
            await bus.ScheduleAsync(new Reminder(numbers[0]), TimeSpan.FromMilliseconds(numbers[1]));
            break;
        default:
            throw new InvalidOperationException($"What is '{line}'?");
    }
}
await host.StopAsync();
