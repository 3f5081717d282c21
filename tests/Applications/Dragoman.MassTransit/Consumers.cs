using System.Collections.Concurrent;
using MassTransit;

namespace Dragoman.MassTransit;

/// <summary>The bank. Its cards: one is good, one works at the third try, one after a break, and one not until it is mended.</summary>
public sealed class CardConsumer : IConsumer<ChargeCard>
{
    private static readonly ConcurrentDictionary<Guid, int> s_tries = new();

    /// <summary>Whether broken cards have been mended.</summary>
    public static bool Mended { get; set; }

    public Task Consume(ConsumeContext<ChargeCard> context)
    {
        var (order, card) = context.Message;
        var tries = s_tries.AddOrUpdate(order, 1, (_, before) => before + 1);
        Console.WriteLine($"charging {order} {tries} {context.GetRetryAttempt()} {context.GetRedeliveryCount()}");
        if (card == "absent") return Task.CompletedTask;
        var works = card switch
        {
            "good" => true,
            "flaky" => tries == 3,
            "late" => context.GetRedeliveryCount() == 2,
            _ => Mended,
        };
        return works ? context.Publish(new CardCharged(order)) : throw new InvalidOperationException($"The card is {card}.");
    }
}

/// <summary>Answers what is asked, unless it cannot.</summary>
public sealed class StockConsumer : IConsumer<CheckStock>
{
    public Task Consume(ConsumeContext<CheckStock> context) =>
        context.Message.Article == "unicorn"
            ? throw new InvalidOperationException("There is no such thing.")
            : context.RespondAsync(new StockChecked(context.Message.Article, context.Message.Article.Length));
}

/// <summary>Work that is shared among all who run this.</summary>
public sealed class JobConsumer : IConsumer<Job>
{
    public Task Consume(ConsumeContext<Job> context)
    {
        Console.WriteLine($"job {context.Message.Number}");
        return Task.CompletedTask;
    }
}

/// <summary>Hears of what was to be said later.</summary>
public sealed class ReminderConsumer : IConsumer<Reminder>
{
    public Task Consume(ConsumeContext<Reminder> context)
    {
        Console.WriteLine($"reminder {context.Message.Number} {(DateTimeOffset.UtcNow < context.Message.Due ? "early" : "due")}");
        return Task.CompletedTask;
    }
}

/// <summary>One of several who want to know what came of orders, each with a queue of its own.</summary>
public sealed class OutcomeConsumer(string name) : IConsumer<OrderCompleted>, IConsumer<OrderRejected>, IConsumer<OrderExpired>
{
    public Task Consume(ConsumeContext<OrderCompleted> context) => Tell("completed", context.Message.OrderId);

    public Task Consume(ConsumeContext<OrderRejected> context) => Tell("rejected", context.Message.OrderId);

    public Task Consume(ConsumeContext<OrderExpired> context) => Tell("expired", context.Message.OrderId);

    private Task Tell(string outcome, Guid order)
    {
        Console.WriteLine($"{name} {outcome} {order}");
        return Task.CompletedTask;
    }
}
