using System.Globalization;
using System.Text;
using Dragoman.TestKit;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Dragoman.Links.Tests;

/// <summary>What tests do to a broker as its clients, over restarts of it.</summary>
internal static class AmqpClient
{
    /// <summary>Connects as soon as the broker answers.</summary>
    public static async Task<IConnection> ConnectAsync(string uri)
    {
        IConnection? connection = null;
        await Eventually.TrueAsync(
            async () =>
            {
                try
                {
                    connection = await new ConnectionFactory { Uri = new Uri(uri), AutomaticRecoveryEnabled = false }.CreateConnectionAsync();
                    return true;
                }
                catch (Exception error) when (error is RabbitMQClientException or IOException or OperationCanceledException)
                {
                    return false;
                }
            },
            $"{uri} answers", TimeSpan.FromMinutes(2));
        return connection!;
    }

    /// <summary>Runs something on a channel of its own.</summary>
    public static async Task<T> OnChannelAsync<T>(string uri, Func<IChannel, Task<T>> action, bool confirms = false)
    {
        await using var connection = await ConnectAsync(uri);
        await using var channel = await connection.CreateChannelAsync(new CreateChannelOptions(confirms, confirms));
        return await action(channel);
    }

    /// <summary>Declares a queue as most applications do.</summary>
    public static Task DeclareAsync(string uri, string queue, IDictionary<string, object?>? arguments = null) =>
        OnChannelAsync(uri, channel => channel.QueueDeclareAsync(queue, durable: true, exclusive: false, autoDelete: false, arguments));

    /// <summary>
    /// Publishes numbered messages, each with its number as its body, and waits for all confirms; what a broken connection
    /// left open is not published again.
    /// </summary>
    /// <returns>How many were confirmed: from the first on.</returns>
    public static Task PublishAsync(string uri, string queue, int first, int count) => OnChannelAsync(
        uri,
        async channel =>
        {
            var waiting = new List<Task>();
            for (var i = first; i < first + count; i++)
            {
                waiting.Add(channel.BasicPublishAsync("", queue, mandatory: false, new BasicProperties { DeliveryMode = DeliveryModes.Persistent, MessageId = Text(i) }, Encoding.UTF8.GetBytes(Text(i))).AsTask());
                if (waiting.Count < 200) continue;
                foreach (var publish in waiting) await publish;
                waiting.Clear();
            }
            foreach (var publish in waiting) await publish;
            return count;
        },
        confirms: true);

    /// <summary>How many messages a queue holds.</summary>
    public static Task<uint> CountAsync(string uri, string queue) => OnChannelAsync(uri, channel => channel.MessageCountAsync(queue));

    /// <summary>Takes everything out of a queue.</summary>
    public static Task<List<string>> DrainAsync(string uri, string queue) => OnChannelAsync(
        uri,
        async channel =>
        {
            var bodies = new List<string>();
            while (await channel.BasicGetAsync(queue, autoAck: true) is { } message) bodies.Add(Encoding.UTF8.GetString(message.Body.Span));
            return bodies;
        });

    /// <summary>Checks that a queue holds each of some numbered messages once.</summary>
    public static async Task HoldsOnceAsync(string uri, string queue, int count)
    {
        await Eventually.TrueAsync(async () => await CountAsync(uri, queue) >= count, $"'{queue}' holds {count} messages", TimeSpan.FromMinutes(2));
        var bodies = new List<string>();
        // A link that looks which messages have arrived holds them for a moment, and gives them back.
        for (var limit = DateTime.UtcNow.AddMinutes(1); bodies.Count < count && DateTime.UtcNow < limit; await Task.Delay(50)) bodies.AddRange(await DrainAsync(uri, queue));
        bodies.AddRange(await DrainAsync(uri, queue));
        var counted = bodies.CountBy(b => b).ToDictionary();
        var missing = Enumerable.Range(0, count).Where(i => !counted.ContainsKey(Text(i))).ToList();
        var doubled = counted.Where(c => c.Value > 1).Select(c => c.Key).ToList();
        Assert.True(missing.Count == 0 && doubled.Count == 0 && bodies.Count == count,
            $"{bodies.Count} of {count}; missing {missing.Count}: {string.Join(' ', missing.Take(10))}; doubled {doubled.Count}: {string.Join(' ', doubled.Take(10))}");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
