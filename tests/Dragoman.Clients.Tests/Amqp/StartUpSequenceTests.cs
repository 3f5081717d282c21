using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;
using RabbitMQ.Client;

namespace Dragoman.Clients.Tests.Amqp;

/// <summary>What frameworks ask of the management API and of the broker before they begin to work, as they ask it.</summary>
[Uses<RabbitMqClient>]
public sealed class StartUpSequenceTests
{
    private const string User = "ops";
    private const string Password = "secret";

    /// <summary>NServiceBus.RabbitMQ 10: its checks, its ladder of delay queues, and the limit of its endpoint's queue.</summary>
    [Fact, Rows("R31")]
    public async Task NServiceBus_finds_what_it_requires_sets_its_limit_and_delays()
    {
        await using var server = await DragomanServer.StartAsync("--default-user", User, "--default-password", Password);
        await using var connection = await new ConnectionFactory { HostName = "127.0.0.1", Port = server.Port("amqp"), UserName = User, Password = Password }.CreateConnectionAsync();
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        // It sends its credentials when it is asked for them, and from then on with every request.
        using var handler = new SocketsHttpHandler { Credentials = new NetworkCredential(User, Password), PreAuthenticate = true };
        using var http = new HttpClient(handler) { BaseAddress = new Uri($"http://127.0.0.1:{server.Port("admin")}/") };

        var overview = await GetAsync(http, "api/overview");
        Assert.True(Version.Parse((string)overview["rabbitmq_version"]!) >= new Version(4, 0, 0), "it sets no limits for brokers from before 4.0");
        Assert.False((bool)overview["disable_stats"]!);
        Assert.Contains((await GetAsync(http, "api/feature-flags")).AsArray(), static flag => (string)flag!["name"]! == "stream_queue" && (string)flag["state"]! == "enabled");

        await DeclareDelaysAsync(channel);
        await channel.QueueDeclareAsync("sales", durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?> { ["x-queue-type"] = "quorum" });
        await channel.ExchangeDeclareAsync("sales", ExchangeType.Fanout, durable: true);
        await channel.QueueBindAsync("sales", "sales", "");
        await channel.ExchangeBindAsync("sales", "nsb.v2.delay-delivery", "#.sales");

        var queue = await GetAsync(http, "api/queues/%2F/sales");
        Assert.Equal(("quorum", 20, "{}"), ((string?)queue["type"], (int)queue["delivery_limit"]!, queue["effective_policy_definition"]!.ToJsonString()));
        Assert.Null(queue["arguments"]!["x-delivery-limit"]);
        var policy = new JsonObject { ["pattern"] = $"^{Regex.Escape("sales")}$", ["apply-to"] = "quorum_queues", ["definition"] = new JsonObject { ["delivery-limit"] = 100_000 }, ["priority"] = 0 };
        using (var made = await http.PutAsJsonAsync("api/policies/%2F/nsb.sales.delivery-limit", policy)) Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        queue = await GetAsync(http, "api/queues/%2F/sales");
        Assert.Equal((100_000, "nsb.sales.delivery-limit", """{"delivery-limit":100000}"""), ((int)queue["delivery_limit"]!, (string?)queue["policy"], queue["effective_policy_definition"]!.ToJsonString()));

        // ServiceControl reads all queues page by page, and bindings from both ends.
        var page = await GetAsync(http, "api/queues/%2F/?page=1&page_size=500");
        Assert.Equal((29, 1, 1), (page["items"]!.AsArray().Count, (int)page["page"]!, (int)page["page_count"]!));
        Assert.Contains((await GetAsync(http, "api/queues/%2F/sales/bindings")).AsArray(), static b => (string)b!["source"]! == "sales" && (string)b["properties_key"]! == "~");
        Assert.Contains((await GetAsync(http, "api/exchanges/%2F/sales/bindings/destination")).AsArray(), static b => (string)b!["source"]! == "nsb.v2.delay-delivery" && (string)b["routing_key"]! == "#.sales");

        // A delay of one second: the lowest step of the ladder alone.
        var steps = string.Concat(Enumerable.Repeat("0.", 27)) + "1.sales";
        await channel.BasicPublishAsync("nsb.v2.delay-level-00", steps, mandatory: true, new BasicProperties { Persistent = true }, "later"u8.ToArray());
        Assert.Equal(0u, await channel.MessageCountAsync("sales"));
        BasicGetResult? got = null;
        await Eventually.TrueAsync(async () => (got = await channel.BasicGetAsync("sales", autoAck: true)) is not null, "the delayed message arrives");
        Assert.Equal(("later", "nsb.v2.delay-level-00", "expired"), (Encoding.UTF8.GetString(got!.Body.Span), Text(got, "x-first-death-queue"), Text(got, "x-first-death-reason")));
    }

    /// <summary>Flower, whose path for the default virtual host ends in two slashes.</summary>
    [Theory, Rows("R31")]
    [InlineData("queues//")]
    [InlineData("queues/%2F")]
    public async Task Flower_sees_the_queues_of_its_workers(string path)
    {
        await using var server = await DragomanServer.StartAsync("--default-user", User, "--default-password", Password);
        await using var connection = await new ConnectionFactory { HostName = "127.0.0.1", Port = server.Port("amqp"), UserName = User, Password = Password }.CreateConnectionAsync();
        await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
        await channel.QueueDeclareAsync("celery", durable: true, exclusive: false, autoDelete: false);
        for (var i = 0; i < 3; i++) await channel.BasicPublishAsync("", "celery", "task"u8.ToArray());
        Assert.NotNull(await channel.BasicGetAsync("celery", autoAck: false));
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{server.Port("admin")}/api/") };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{Password}")));
        var queue = Assert.Single((await GetAsync(http, path)).AsArray())!;
        Assert.Equal(("celery", 3, 1, 2, 0), ((string?)queue["name"], (int)queue["messages"]!, (int)queue["messages_unacknowledged"]!, (int)queue["messages_ready"]!, (int)queue["consumers"]!));
    }

    /// <summary>28 exchanges and queues, each of which holds back twice as long as the next.</summary>
    private static async Task DeclareDelaysAsync(IChannel channel)
    {
        var key = "1.#";
        for (var level = 27; level >= 0; level--)
        {
            await channel.ExchangeDeclareAsync(Level(level), ExchangeType.Topic, durable: true);
            await channel.QueueDeclareAsync(Level(level), durable: true, exclusive: false, autoDelete: false, new Dictionary<string, object?>
            {
                ["x-queue-type"] = "quorum",
                ["x-dead-letter-strategy"] = "at-least-once",
                ["x-overflow"] = "reject-publish",
                ["x-message-ttl"] = (1L << level) * 1000,
                ["x-dead-letter-exchange"] = level > 0 ? Level(level - 1) : "nsb.v2.delay-delivery",
            });
            await channel.QueueBindAsync(Level(level), Level(level), key);
            key = "*." + key;
        }
        key = "0.#";
        for (var level = 27; level >= 1; level--)
        {
            await channel.ExchangeBindAsync(Level(level - 1), Level(level), key);
            key = "*." + key;
        }
        await channel.ExchangeDeclareAsync("nsb.v2.delay-delivery", ExchangeType.Topic, durable: true);
        await channel.ExchangeBindAsync("nsb.v2.delay-delivery", Level(0), key);
    }

    private static string Level(int level) => $"nsb.v2.delay-level-{level:D2}";

    private static async Task<JsonNode> GetAsync(HttpClient http, string path) => (await http.GetFromJsonAsync<JsonNode>(new Uri(path, UriKind.Relative)))!;

    private static string Text(BasicGetResult message, string header) => Encoding.UTF8.GetString((byte[])message.BasicProperties.Headers![header]!);
}
