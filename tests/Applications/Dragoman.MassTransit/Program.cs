using System.Globalization;
using Dragoman.MassTransit;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

// dragoman-masstransit ADDRESS ROLE: an application as its users write it. A shop takes orders and knows what becomes
// of them; a worker does jobs and nothing else. It does what the lines on its input say, tells what it has consumed, and
// ends with its input.
var (address, isShop) = (new Uri(args[0]), args[1] == "shop");
var builder = Host.CreateApplicationBuilder();
builder.Logging.ClearProviders().AddConsole(console => console.LogToStandardErrorThreshold = LogLevel.Trace);
builder.Services.AddMassTransit(application =>
{
    application.DisableUsageTelemetry();
    application.AddDelayedMessageScheduler();
    application.AddConsumer<CardConsumer>();
    application.AddConsumer<StockConsumer>();
    application.AddConsumer<JobConsumer>();
    application.AddConsumer<ReminderConsumer>();
    application.AddSagaStateMachine<OrderStateMachine, OrderState>().InMemoryRepository();
    application.UsingRabbitMq((context, bus) =>
    {
        bus.Host(address);
        bus.UseDelayedMessageScheduler();
        bus.ReceiveEndpoint("jobs", endpoint =>
        {
            endpoint.SetQuorumQueue(1);
            endpoint.PrefetchCount = 4;
            endpoint.ConfigureConsumer<JobConsumer>(context);
        });
        if (!isShop) return;
        bus.ReceiveEndpoint("orders", endpoint =>
        {
            // An outcome may be there before the state that waits for it is kept.
            endpoint.UseMessageRetry(retry => retry.Intervals(50, 200, 500));
            endpoint.UseInMemoryOutbox(context);
            endpoint.ConfigureSaga<OrderState>(context);
        });
        bus.ReceiveEndpoint("cards", endpoint =>
        {
            endpoint.UseDelayedRedelivery(again => again.Intervals(300, 600));
            endpoint.UseMessageRetry(retry => retry.Immediate(2));
            endpoint.ConfigureConsumer<CardConsumer>(context);
        });
        bus.ReceiveEndpoint("stock", endpoint => endpoint.ConfigureConsumer<StockConsumer>(context));
        bus.ReceiveEndpoint("reminders", endpoint => endpoint.ConfigureConsumer<ReminderConsumer>(context));
        foreach (var name in (string[])["billing", "shipping"]) bus.ReceiveEndpoint(name, endpoint => endpoint.Consumer(() => new OutcomeConsumer(name)));
    });
});
builder.Services.AddOptions<MassTransitHostOptions>().Configure(host => host.WaitUntilStarted = true);
using var host = builder.Build();
await host.StartAsync();
Console.WriteLine("ready");
var theBus = host.Services.GetRequiredService<IBus>();
while (Console.ReadLine() is { } line)
{
    var words = line.Split(' ');
    switch (words[0])
    {
        case "order":
            await theBus.Publish(new OrderSubmitted(Guid.Parse(words[1]), words[2]));
            break;
        case "mend":
            CardConsumer.Mended = true;
            Console.WriteLine("mended");
            break;
        case "stock":
            await AskAsync(words[1]);
            break;
        case "jobs":
            var (from, to) = (int.Parse(words[1], CultureInfo.InvariantCulture), int.Parse(words[2], CultureInfo.InvariantCulture));
            await theBus.PublishBatch(Enumerable.Range(from, to - from).Select(number => new Job(number)));
            Console.WriteLine($"published {from} {to}");
            break;
        case "remind":
            await RemindAsync(int.Parse(words[1], CultureInfo.InvariantCulture), int.Parse(words[2], CultureInfo.InvariantCulture));
            break;
        case "stray":
            await (await theBus.GetSendEndpoint(new Uri("queue:cards"))).Send(new Stray(int.Parse(words[1], CultureInfo.InvariantCulture)));
            break;
        default:
            throw new InvalidOperationException($"What is '{line}'?");
    }
}
await host.StopAsync();

async Task AskAsync(string article)
{
    using var scope = host.Services.CreateScope();
    var client = scope.ServiceProvider.GetRequiredService<IRequestClient<CheckStock>>();
    try
    {
        var answer = await client.GetResponse<StockChecked>(new CheckStock(article));
        Console.WriteLine($"stock {article} {answer.Message.Left}");
    }
    catch (RequestFaultException fault)
    {
        Console.WriteLine($"stock {article} fault {fault.Fault!.Exceptions[0].Message}");
    }
}

async Task RemindAsync(int number, int milliseconds)
{
    using var scope = host.Services.CreateScope();
    var due = DateTime.UtcNow.AddMilliseconds(milliseconds);
    await scope.ServiceProvider.GetRequiredService<IMessageScheduler>().SchedulePublish(due, new Reminder(number, due));
}
