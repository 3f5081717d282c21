using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dragoman.Broker.Namespaces;
using Dragoman.Protocols.RabbitMq;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Dragoman.Admin.RabbitMq.Http;

/// <summary>A request to the management API, and ways to answer it.</summary>
/// <param name="http">The request.</param>
/// <param name="node">The node that is asked.</param>
/// <param name="caller">Who asks.</param>
/// <param name="values">The values in the path.</param>
internal sealed class ApiRequest(HttpContext http, AdminNode node, Caller caller, IReadOnlyDictionary<string, string> values)
{
    /// <summary>The largest body, in bytes: RabbitMQ's <c>max_http_body_size</c>.</summary>
    private const int MaxBodyBytes = 20_000_000;

    // An object reads its members late: doubled names, in whatever depth, would show only where they are used.
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    private static readonly JsonWriterOptions Written = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The request as HTTP has it.</summary>
    public HttpContext Http { get; } = http;

    /// <summary>The node that is asked.</summary>
    public AdminNode Node { get; } = node;

    /// <summary>Its broker.</summary>
    public Broker.Broker Broker => Node.Broker;

    /// <summary>Who asks.</summary>
    public Caller Caller { get; } = caller;

    /// <summary>Ends when the client is gone.</summary>
    public CancellationToken Cancellation => Http.RequestAborted;

    /// <summary>A value in the path.</summary>
    public string this[string name] => values[name];

    /// <summary>A value in the path; null if the path has none of that name.</summary>
    public string? Value(string name) => values.GetValueOrDefault(name);

    /// <summary>A parameter of the query; null if there is none.</summary>
    public string? Query(string name) => Http.Request.Query.TryGetValue(name, out var value) ? value.ToString() : null;

    /// <summary>Whether a parameter of the query is true.</summary>
    public bool Flag(string name) => Query(name) == "true";

    /// <summary>The virtual host that the path names; null if it names none.</summary>
    public NamespaceName? Space { get; private set; }

    /// <summary>The virtual host that the path names.</summary>
    public NamespaceName RequiredSpace => Space ?? throw new InvalidOperationException("The path names no virtual host.");

    /// <summary>The name of the virtual host that the path names.</summary>
    public string Vhost => this["vhost"];

    /// <summary>Who asks, as AMQP has it, in the virtual host that the path names.</summary>
    public AmqpCaller AmqpCaller => CallerIn(RequiredSpace);

    /// <summary>What AMQP can do.</summary>
    public IAmqpTopology Topology => Node.Topology ?? throw ManagementException.Unavailable("This node does not speak AMQP.");

    /// <summary>Who asks, as AMQP has it, in a virtual host.</summary>
    public AmqpCaller CallerIn(NamespaceName space) => new(Caller.Identity, Caller.Name, space, VirtualHosts.FromNamespace(space));

    /// <summary>Refuses who may not, and finds the virtual host.</summary>
    /// <exception cref="ManagementException">The user may not, or there is no such virtual host.</exception>
    public void Authorise(Access access)
    {
        Caller.Require(access);
        if (Value("vhost") is not { } vhost) return;
        var space = VirtualHosts.ToNamespace(vhost);
        if (space is null || !Broker.Namespaces.Exists(space))
        {
            // What makes virtual hosts, and what concerns one that is gone, has its own word on it.
            if (access == Access.Administrator) return;
            throw HttpMethods.IsPut(Http.Request.Method) || HttpMethods.IsPost(Http.Request.Method) ? ManagementException.NotFound("vhost_not_found") : ManagementException.NotFound();
        }
        if (access != Access.Administrator && !(access is Access.Visible or Access.Monitoring ? Caller.Sees(space) : Caller.MayEnter(space)))
            throw ManagementException.NotAuthorised("User not authorised to access virtual host");
        Space = space;
    }

    /// <summary>The namespaces that a list is about: that of the path, or all that the user sees.</summary>
    public bool Wants(NamespaceName space) => Space is { } only ? only == space : Caller.Sees(space);

    /// <summary>Reads the body, an object; an empty one is an object without members.</summary>
    /// <exception cref="ManagementException">It is none.</exception>
    public async Task<JsonObject> ReadAsync()
    {
        if (Http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = MaxBodyBytes;
        using var body = new MemoryStream();
        await Http.Request.Body.CopyToAsync(body, Cancellation);
        return Parse(body.GetBuffer().AsSpan(0, (int)body.Length));
    }

    /// <inheritdoc cref="ReadAsync"/>
    public static JsonObject Parse(ReadOnlySpan<byte> body)
    {
        if (body.IsEmpty || body.SequenceEqual("null"u8) || body.SequenceEqual("undefined"u8)) return [];
        try
        {
            return JsonNode.Parse(body, documentOptions: Strict) switch
            {
                JsonObject found => found,
                JsonValue value when value.GetValueKind() == JsonValueKind.String =>
                    throw ManagementException.BadRequest("invalid payload: the request body JSON-decoded to a string. Is the input doubly-JSON-encoded?"),
                _ => throw ManagementException.BadRequest("not_json"),
            };
        }
        catch (JsonException)
        {
            throw ManagementException.BadRequest("not_json");
        }
    }

    /// <summary>Answers with JSON.</summary>
    /// <param name="body">The answer; of objects, and objects in lists, the columns that the query asks for.</param>
    /// <param name="status">The HTTP status.</param>
    public Task WriteAsync(JsonNode body, int status = StatusCodes.Status200OK) => SendAsync(Http, Columns.Of(this).Pick(body), status);

    /// <summary>Answers with a list that can be sorted, filtered and asked for in pages.</summary>
    public Task WriteListAsync(IReadOnlyList<ListEntry> entries) => Paging.WriteAsync(this, entries);

    /// <summary>Answers that something was made.</summary>
    public Task Created(string? location = null)
    {
        if (location is not null) Http.Response.Headers.Location = location;
        Http.Response.StatusCode = StatusCodes.Status201Created;
        Http.Response.ContentLength = 0;
        return Task.CompletedTask;
    }

    /// <summary>Answers that something was done.</summary>
    public Task NoContent()
    {
        Http.Response.StatusCode = StatusCodes.Status204NoContent;
        return Task.CompletedTask;
    }

    /// <summary>Answers with JSON as it is.</summary>
    internal static async Task SendAsync(HttpContext http, JsonNode body, int status)
    {
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/json";
        http.Response.Headers.CacheControl = "no-cache";
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Written)) body.WriteTo(writer);
        http.Response.ContentLength = buffer.Length;
        if (!HttpMethods.IsHead(http.Request.Method)) await http.Response.Body.WriteAsync(buffer.GetBuffer().AsMemory(0, (int)buffer.Length), http.RequestAborted);
    }
}
