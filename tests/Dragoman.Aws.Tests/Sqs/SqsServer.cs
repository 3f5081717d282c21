using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Dragoman.Broker;
using Dragoman.Protocols;
using Dragoman.Protocols.Authentication;
using Dragoman.Storage;
using Dragoman.Storage.Platform;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Dragoman.Aws.Tests.Sqs;

/// <summary>A broker whose clock stands still, with the AWS listener on a free port, asked in SQS' JSON protocol.</summary>
public sealed class SqsServer : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("dragoman-sqs-").FullName;
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(60) };
    private FrontEndServer _server = null!;
    private AwsFrontEnd _frontEnd = null!;

    public FakeTimeProvider Time { get; } = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    public Broker.Broker Broker { get; private set; } = null!;

    public string Address { get; private set; } = "";

    public static async Task<SqsServer> StartAsync()
    {
        var server = new SqsServer();
        server.Broker = await Dragoman.Broker.Broker.StartAsync(
            new BrokerOptions { Store = new StoreOptions { Directory = server._directory, JournalFileBytes = 4 << 20, HeadroomBytes = 0 } },
            new OsFileSystem(), server.Time, ThreadPoolScheduler.Instance, new Random());
        server._frontEnd = new AwsFrontEnd(server.Broker, new AwsOptions(), NullLoggerFactory.Instance, new Authenticator(server.Broker.Accounts, allowAnonymous: true));
        server._server = await FrontEndServer.StartAsync([new FrontEndBinding(server._frontEnd, IPAddress.Loopback, 0)], NullLoggerFactory.Instance);
        server.Address = $"http://{server._server.Endpoints[0].EndPoint}";
        return server;
    }

    /// <summary>Sends a request, which has to succeed.</summary>
    public async Task<JsonNode> AskAsync(string operation, object parameters)
    {
        var (status, body) = await SendAsync(operation, parameters);
        Assert.True(status == HttpStatusCode.OK, body.ToJsonString());
        return body;
    }

    /// <summary>Sends a request, which has to fail; the type of the error, without what is before it.</summary>
    public async Task<string> FailAsync(string operation, object parameters)
    {
        var (status, body) = await SendAsync(operation, parameters);
        Assert.NotEqual(HttpStatusCode.OK, status);
        var type = body["__type"]!.GetValue<string>();
        return type[(type.IndexOf('#', StringComparison.Ordinal) + 1)..];
    }

    /// <summary>Makes a queue, with order where its name says so; its URL.</summary>
    public async Task<string> CreateAsync(string name, params (string Name, string Value)[] attributes)
    {
        var all = attributes.ToDictionary(static a => a.Name, static a => a.Value);
        if (name.EndsWith(".fifo", StringComparison.Ordinal)) all["FifoQueue"] = "true";
        return (await AskAsync("CreateQueue", new { QueueName = name, Attributes = all }))["QueueUrl"]!.GetValue<string>();
    }

    /// <summary>Sends bodies such as <c>g1-m2</c> to a FIFO queue: the group is what is before the dash, and each is told apart by its text.</summary>
    public async Task SendInGroupsAsync(string url, params string[] bodies)
    {
        foreach (var body in bodies) await AskAsync("SendMessage", new { QueueUrl = url, MessageBody = body, MessageGroupId = body[..body.IndexOf('-', StringComparison.Ordinal)], MessageDeduplicationId = body });
    }

    /// <summary>Receives what there is: bodies and receipt handles.</summary>
    public async Task<List<(string Body, string Handle)>> ReceiveAsync(string url, int max = 10, int? visibility = null, int wait = 0)
    {
        var answer = await AskAsync("ReceiveMessage", new Dictionary<string, object?> { ["QueueUrl"] = url, ["MaxNumberOfMessages"] = max, ["VisibilityTimeout"] = visibility, ["WaitTimeSeconds"] = wait });
        return answer["Messages"] is not JsonArray messages ? [] : [.. messages.Select(static m => (m!["Body"]!.GetValue<string>(), m["ReceiptHandle"]!.GetValue<string>()))];
    }

    /// <summary>The bodies of what a receive gets, with spaces between them.</summary>
    public async Task<string> TakeAsync(string url, int max = 10, int? visibility = null) => string.Join(' ', (await ReceiveAsync(url, max, visibility)).Select(static m => m.Body));

    public Task<JsonNode> ChangeVisibilityAsync(string url, string handle, int seconds) => AskAsync("ChangeMessageVisibility", new { QueueUrl = url, ReceiptHandle = handle, VisibilityTimeout = seconds });

    public Task<JsonNode> DeleteAsync(string url, string handle) => AskAsync("DeleteMessage", new { QueueUrl = url, ReceiptHandle = handle });

    /// <summary>The answer to a request of the Query protocol, as it is.</summary>
    public async Task<string> QueryAsync(string query, string accept)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"{Address}/?{query}"));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue(accept));
        using var response = await _client.SendAsync(request);
        return await response.Content.ReadAsStringAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _frontEnd.Dispose();
        await Broker.DisposeAsync();
        _client.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task<(HttpStatusCode Status, JsonNode Body)> SendAsync(string operation, object parameters)
    {
        using var content = new StringContent(System.Text.Json.JsonSerializer.Serialize(parameters), Encoding.UTF8, new MediaTypeHeaderValue("application/x-amz-json-1.0"));
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(Address)) { Content = content };
        request.Headers.Add("X-Amz-Target", $"AmazonSQS.{operation}");
        using var response = await _client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, JsonNode.Parse(text.Length == 0 ? "{}" : text)!);
    }
}
