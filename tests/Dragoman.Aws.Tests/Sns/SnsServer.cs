using System.Net;
using System.Xml.Linq;
using Dragoman.Broker;
using Dragoman.Protocols;
using Dragoman.Protocols.Authentication;
using Dragoman.Storage;
using Dragoman.Storage.Platform;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dragoman.Aws.Tests.Sns;

/// <summary>A broker in a directory of its own, with the AWS listener on a free port, asked in the Query protocol.</summary>
public sealed class SnsServer : IAsyncDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("dragoman-sns-").FullName;
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(60) };
    private FrontEndServer _server = null!;
    private AwsFrontEnd _frontEnd = null!;
    private CancellationTokenSource _stopping = null!;

    public Broker.Broker Broker { get; private set; } = null!;

    public string Address { get; private set; } = "";

    private bool AllowAnonymous { get; init; }

    public static async Task<SnsServer> StartAsync(bool allowAnonymous = true)
    {
        var server = new SnsServer { AllowAnonymous = allowAnonymous };
        await server.OpenAsync();
        return server;
    }

    public async Task RestartAsync()
    {
        await CloseAsync();
        await OpenAsync();
    }

    /// <summary>Sends a request, which has to succeed.</summary>
    public async Task<XElement> AskAsync(string action, params (string Name, string Value)[] parameters)
    {
        var (status, body) = await SendAsync("2010-03-31", action, parameters);
        Assert.True(status == HttpStatusCode.OK, body.ToString());
        return body;
    }

    /// <summary>Sends a request, which has to fail.</summary>
    public async Task<(string Code, string Message, int Status)> FailAsync(string action, params (string Name, string Value)[] parameters)
    {
        var (status, body) = await SendAsync("2010-03-31", action, parameters);
        Assert.NotEqual(HttpStatusCode.OK, status);
        Assert.Equal("Sender", body.Text("Type"));
        return (body.Text("Code")!, body.Text("Message")!, (int)status);
    }

    public async Task<string> CreateTopicAsync(string name, params (string Name, string Value)[] attributes)
    {
        var parameters = new List<(string, string)> { ("Name", name) };
        for (var i = 0; i < attributes.Length; i++)
        {
            parameters.Add(($"Attributes.entry.{i + 1}.key", attributes[i].Name));
            parameters.Add(($"Attributes.entry.{i + 1}.value", attributes[i].Value));
        }
        return (await AskAsync("CreateTopic", [.. parameters])).Text("TopicArn")!;
    }

    public async Task<string> SubscribeAsync(string topic, string protocol, string endpoint, params (string Name, string Value)[] attributes)
    {
        var parameters = new List<(string, string)> { ("TopicArn", topic), ("Protocol", protocol), ("Endpoint", endpoint), ("ReturnSubscriptionArn", "true") };
        for (var i = 0; i < attributes.Length; i++)
        {
            parameters.Add(($"Attributes.entry.{i + 1}.key", attributes[i].Name));
            parameters.Add(($"Attributes.entry.{i + 1}.value", attributes[i].Value));
        }
        return (await AskAsync("Subscribe", [.. parameters])).Text("SubscriptionArn")!;
    }

    /// <summary>Makes a queue, and gives its resource name.</summary>
    public async Task<string> CreateQueueAsync(string name)
    {
        var parameters = new List<(string, string)> { ("QueueName", name) };
        if (name.EndsWith(".fifo", StringComparison.Ordinal)) parameters.AddRange([("Attribute.1.Name", "FifoQueue"), ("Attribute.1.Value", "true")]);
        var (status, body) = await SendAsync("2012-11-05", "CreateQueue", [.. parameters]);
        Assert.True(status == HttpStatusCode.OK, body.ToString());
        return $"arn:aws:sqs:us-east-1:000000000000:{name}";
    }

    /// <summary>Receives the messages of a queue: as many as are wanted, however long that takes.</summary>
    public async Task<List<XElement>> ReceiveAsync(string queue, int count)
    {
        var all = new List<XElement>();
        for (var limit = DateTime.UtcNow.AddSeconds(30); all.Count < count && DateTime.UtcNow < limit;)
        {
            var (status, body) = await SendAsync(
                "2012-11-05", "ReceiveMessage",
                ("QueueUrl", $"{Address}/000000000000/{queue}"), ("MaxNumberOfMessages", "10"), ("WaitTimeSeconds", "2"), ("MessageAttributeName.1", "All"), ("AttributeName.1", "All"));
            Assert.True(status == HttpStatusCode.OK, body.ToString());
            all.AddRange(body.Descendants().Where(static e => e.Name.LocalName == "Message"));
        }
        return all;
    }

    /// <summary>What a queue holds, without taking it.</summary>
    public async Task<long> CountAsync(string queue) =>
        (await Broker.Queues.Find(Dragoman.Broker.Queues.QueueName.InDefault(queue))!.GetCountsAsync()).Ready;

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        _client.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task<(HttpStatusCode Status, XElement Body)> SendAsync(string version, string action, params (string Name, string Value)[] parameters)
    {
        using var content = new FormUrlEncodedContent([new("Action", action), new("Version", version), .. parameters.Select(static p => new KeyValuePair<string, string>(p.Name, p.Value))]);
        using var response = await _client.PostAsync(new Uri(Address), content);
        return (response.StatusCode, XElement.Parse(await response.Content.ReadAsStringAsync()));
    }

    private async Task OpenAsync()
    {
        Broker = await Dragoman.Broker.Broker.StartAsync(
            new BrokerOptions { Store = new StoreOptions { Directory = _directory, JournalFileBytes = 4 << 20, HeadroomBytes = 0 } },
            new OsFileSystem(), TimeProvider.System, ThreadPoolScheduler.Instance, new Random());
        _stopping = new CancellationTokenSource();
        _frontEnd = new AwsFrontEnd(Broker, new AwsOptions { Stopping = _stopping.Token }, NullLoggerFactory.Instance, new Authenticator(Broker.Accounts, AllowAnonymous));
        _server = await FrontEndServer.StartAsync([new FrontEndBinding(_frontEnd, IPAddress.Loopback, 0)], NullLoggerFactory.Instance);
        Address = $"http://{_server.Endpoints[0].EndPoint}";
    }

    private async Task CloseAsync()
    {
        await _stopping.CancelAsync();
        await _server.DisposeAsync();
        _frontEnd.Dispose();
        await Broker.DisposeAsync();
        _stopping.Dispose();
    }
}

/// <summary>Reads answers, whatever their namespace.</summary>
internal static class Answers
{
    /// <summary>The text of the first element of a name; null if there is none.</summary>
    public static string? Text(this XElement answer, string name) => answer.Descendants().FirstOrDefault(e => e.Name.LocalName == name)?.Value;

    /// <summary>The texts of all elements of a name.</summary>
    public static List<string> Texts(this XElement answer, string name) => [.. answer.Descendants().Where(e => e.Name.LocalName == name).Select(static e => e.Value)];

    /// <summary>An attribute of a map.</summary>
    public static string? Mapped(this XElement answer, string key) =>
        answer.Descendants().FirstOrDefault(e => e.Name.LocalName == "entry" && e.Text("key") == key)?.Text("value");
}
