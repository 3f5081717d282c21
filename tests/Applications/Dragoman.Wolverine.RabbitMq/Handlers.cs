namespace Dragoman.Wolverine.RabbitMq;

public sealed record Order(int Number);

/// <summary>Breaks as often as it says.</summary>
public sealed record Fragile(int Number, int Breaks);

public sealed record Question(int Number);

public sealed record Answer(int Square);

public sealed record Reminder(int Number);

public sealed class FragileException(string message) : Exception(message);

public static class OrderHandler
{
    public static void Handle(Order order) => Console.WriteLine($"handled {order.Number}");
}

public static class FragileHandler
{
    private static readonly Dictionary<int, int> s_tries = [];

    public static void Handle(Fragile fragile)
    {
        int tries;
        lock (s_tries) s_tries[fragile.Number] = tries = s_tries.GetValueOrDefault(fragile.Number) + 1;
        Console.WriteLine($"tried {fragile.Number} {tries}");
        if (tries <= fragile.Breaks) throw new FragileException($"It broke {tries} times.");
    }
}

public static class QuestionHandler
{
    public static Answer Handle(Question question) => new(question.Number * question.Number);
}

public static class ReminderHandler
{
    public static void Handle(Reminder reminder) => Console.WriteLine($"reminder {reminder.Number}");
}
