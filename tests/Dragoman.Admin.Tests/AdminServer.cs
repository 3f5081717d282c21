using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Dragoman.Amqp;
using Dragoman.Broker;
using Dragoman.Protocols;
using Dragoman.Storage;
using Dragoman.Storage.Platform;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dragoman.Admin.Tests;

/// <summary>A broker in a directory of its own with the admin listener on a free port.</summary>
public sealed class AdminServer : IAsyncDisposable
{
    private readonly string _directory;
    private readonly FrontEndServer _server;

    private AdminServer(string directory, Broker.Broker broker, AdminNode node, FrontEndServer server)
    {
        _directory = directory;
        Broker = broker;
        Node = node;
        _server = server;
        Root = new Uri($"http://{server.Endpoints[0].EndPoint}/");
        Client = new HttpClient { BaseAddress = new Uri(Root, "_dragoman/v1/"), Timeout = TimeSpan.FromSeconds(30) };
    }

    public Broker.Broker Broker { get; }

    public AdminNode Node { get; }

    public Uri Root { get; }

    public HttpClient Client { get; }

    public static async Task<AdminServer> StartAsync(bool autoCreate = true, TimeProvider? time = null)
    {
        var directory = Directory.CreateTempSubdirectory("dragoman-admin-").FullName;
        var broker = await Dragoman.Broker.Broker.StartAsync(
            new BrokerOptions { Store = new StoreOptions { Directory = directory, JournalFileBytes = 4 << 20, HeadroomBytes = 0 }, AutoCreateTopics = autoCreate },
            new OsFileSystem(), time ?? TimeProvider.System, ThreadPoolScheduler.Instance, new Random());
        var node = new AdminNode(broker) { Topology = new AmqpFrontEnd(broker, new AmqpOptions(), NullLoggerFactory.Instance).Topology };
        var server = await FrontEndServer.StartAsync([new FrontEndBinding(new AdminFrontEnd(node, NullLoggerFactory.Instance), IPAddress.Loopback, 0)], NullLoggerFactory.Instance);
        node.Listeners = [new AdminListener("admin", server.Endpoints[0].EndPoint.ToString()!)];
        node.IsReady = true;
        return new AdminServer(directory, broker, node, server);
    }

    /// <summary>Sends a request and returns status and JSON body.</summary>
    public async Task<(HttpStatusCode Status, JsonNode? Body)> SendAsync(string method, string path, string? body = null, string type = "application/json")
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
        {
            request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
            request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        }
        using var response = await Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        if ((int)response.StatusCode >= 400) Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        return (response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text));
    }

    /// <summary>Sends a request to RabbitMQ's API and returns the answer and its JSON body.</summary>
    public async Task<ManagementAnswer> ManageAsync(string method, string path, string? body = null, string? user = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(Root, "api/" + path));
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        if (user is not null) request.Headers.TryAddWithoutValidation("Authorization", "Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes(user)));
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        using var response = await Client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        if (text.Length > 0) Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        return new ManagementAnswer(response.StatusCode, text.Length == 0 ? null : JsonNode.Parse(text), text, string.Join(", ", response.Content.Headers.Allow), response.Content.Headers.ContentLength);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        Node.Stop();
        await _server.DisposeAsync();
        await Broker.DisposeAsync();
        Node.Dispose();
        Directory.Delete(_directory, recursive: true);
    }
}

/// <summary>An answer of RabbitMQ's API.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Body">The body; null if there is none.</param>
/// <param name="Text">The body as it came; empty if there is none.</param>
/// <param name="Allow">The methods that the answer names.</param>
/// <param name="Length">The length that the answer names.</param>
public sealed record ManagementAnswer(HttpStatusCode Status, JsonNode? Body, string Text, string Allow, long? Length);
