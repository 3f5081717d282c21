using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Dragoman.Commands;

/// <summary>Calls the admin API of a broker. Whatever fails arrives as a <see cref="CommandException"/>.</summary>
internal sealed class AdminClient : IDisposable
{
    public const string DefaultServer = "http://127.0.0.1:15672";
    public const string ServerVariable = "DRAGOMAN_SERVER";
    public const string UserVariable = "DRAGOMAN_USER";
    public const string PasswordVariable = "DRAGOMAN_PASSWORD";

    private readonly HttpClient _client;
    private readonly Uri _server;

    /// <param name="server">The admin listener's address; null for the environment's, or the default.</param>
    public AdminClient(string? server)
    {
        var text = server ?? Environment.GetEnvironmentVariable(ServerVariable);
        if (string.IsNullOrEmpty(text)) text = DefaultServer;
        if (!text.Contains("://", StringComparison.Ordinal)) text = "http://" + text;
        if (!Uri.TryCreate(text.TrimEnd('/') + "/", UriKind.Absolute, out var parsed) || parsed.Scheme is not ("http" or "https"))
            throw new CommandException($"'{text}' is not the address of an admin listener; it should look like {DefaultServer}.", ExitCode.Usage);
        _server = parsed;
        // Credentials may stand in the address, or in variables, which no list of processes shows.
        var credentials = parsed.UserInfo.Length > 0 ? Uri.UnescapeDataString(parsed.UserInfo) : null;
        if (credentials is null && Environment.GetEnvironmentVariable(UserVariable) is { Length: > 0 } user) credentials = $"{user}:{Environment.GetEnvironmentVariable(PasswordVariable)}";
        if (parsed.UserInfo.Length > 0) _server = parsed = new UriBuilder(parsed) { UserName = "", Password = "" }.Uri;
        _client = new HttpClient { BaseAddress = new Uri(parsed, "_dragoman/v1/"), Timeout = Timeout.InfiniteTimeSpan };
        if (credentials is not null) _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(credentials)));
    }

    /// <summary>The path of a topic in the API.</summary>
    public static string TopicPath(string name) => Path("topics", name);

    /// <summary>The path of something in the API.</summary>
    public static string Path(string collection, string name, string? part = null) => $"{collection}/{Uri.EscapeDataString(name)}{(part is null ? "" : "/" + part)}";

    public async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellation);
        return await ReadAsync(response, type, cancellation);
    }

    public async Task<T> SendAsync<TBody, T>(HttpMethod method, string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, bodyType));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return await SendAsync(method, path, content, type, cancellation);
    }

    public async Task<T> SendAsync<T>(HttpMethod method, string path, HttpContent content, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        using var response = await SendAsync(new HttpRequestMessage(method, path) { Content = content }, cancellation);
        return await ReadAsync(response, type, cancellation);
    }

    public async Task SendAsync<TBody>(HttpMethod method, string path, TBody body, JsonTypeInfo<TBody> bodyType, CancellationToken cancellation)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(body, bodyType));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var response = await SendAsync(new HttpRequestMessage(method, path) { Content = content }, cancellation);
    }

    /// <summary>Sends a request without a body, and reads the answer.</summary>
    public async Task<T> SendAsync<T>(HttpMethod method, string path, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        using var response = await SendAsync(new HttpRequestMessage(method, path), cancellation);
        return await ReadAsync(response, type, cancellation);
    }

    public async Task DeleteAsync(string path, CancellationToken cancellation)
    {
        using var response = await SendAsync(new HttpRequestMessage(HttpMethod.Delete, path), cancellation);
    }

    /// <summary>Begins to read an answer of any length.</summary>
    public Task<HttpResponseMessage> OpenAsync(string path, CancellationToken cancellation) => SendAsync(new HttpRequestMessage(HttpMethod.Get, path), cancellation);

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellation)
    {
        HttpResponseMessage response;
        try
        {
            response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        }
        catch (HttpRequestException error)
        {
            throw new CommandException($"Cannot reach a broker's admin listener at {_server.ToString().TrimEnd('/')} ({error.Message}). Is 'dragoman serve' running there? Another address is given with --server or {ServerVariable}.", error);
        }
        finally
        {
            request.Dispose();
        }
        if (response.IsSuccessStatusCode) return response;
        using (response) throw await FailureAsync(response, cancellation);
    }

    private static async Task<T> ReadAsync<T>(HttpResponseMessage response, JsonTypeInfo<T> type, CancellationToken cancellation)
    {
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync(cancellation);
            return await JsonSerializer.DeserializeAsync(body, type, cancellation) ?? throw new CommandException("The broker's answer is empty.");
        }
        catch (Exception error) when (error is JsonException or HttpIOException)
        {
            throw new CommandException($"The broker's answer cannot be read: {error.Message}", error);
        }
    }

    private static async Task<CommandException> FailureAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        if (response.Content.Headers.ContentType?.MediaType == "application/problem+json")
        {
            try
            {
                using var problem = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(cancellation));
                if (problem.RootElement.TryGetProperty("detail", out var detail)) return new CommandException(detail.GetString()!);
            }
            catch (Exception error) when (error is JsonException or HttpRequestException)
            {
                return new CommandException($"The broker answered {(int)response.StatusCode}, and its explanation cannot be read: {error.Message}", error);
            }
        }
        return new CommandException($"The server answered {(int)response.StatusCode} {response.ReasonPhrase}. Is this the admin listener of a broker?");
    }

    public void Dispose() => _client.Dispose();
}
