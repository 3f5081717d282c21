using System.Collections.Concurrent;
using System.Net;

namespace Dragoman.Aws.Tests.Sns;

/// <summary>An endpoint of HTTP that keeps what it is told.</summary>
internal sealed class HttpEndpoint : IDisposable
{
    private readonly HttpListener _listener = new();
    private readonly ConcurrentQueue<Told> _told = new();

    /// <summary>What it was told.</summary>
    public sealed record Told(string Type, string Body, IReadOnlyDictionary<string, string> Headers);

    public HttpEndpoint()
    {
        // A free port may be taken before it is used.
        for (var attempt = 0; ; attempt++)
        {
            using (var probe = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0))
            {
                probe.Start();
                Url = $"http://127.0.0.1:{((IPEndPoint)probe.LocalEndpoint).Port}/told/";
            }
            _listener.Prefixes.Clear();
            _listener.Prefixes.Add(Url);
            try
            {
                _listener.Start();
                break;
            }
            catch (HttpListenerException) when (attempt < 20)
            {
            }
        }
        _ = ServeAsync();
    }

    public string Url { get; }

    /// <summary>The status of the answers to notifications.</summary>
    public volatile int Status = 200;

    public int Count => _told.Count;

    /// <summary>Waits until it was told something so often, and gives all of it.</summary>
    public async Task<Told[]> ToldAsync(int count)
    {
        for (var limit = DateTime.UtcNow.AddSeconds(30); _told.Count < count; await Task.Delay(10)) Assert.True(DateTime.UtcNow < limit, $"told {_told.Count} of {count} times");
        return [.. _told];
    }

    public void Dispose() => _listener.Close();

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var context = await _listener.GetContextAsync();
                using var reader = new StreamReader(context.Request.InputStream);
                var body = await reader.ReadToEndAsync();
                var type = context.Request.Headers["x-amz-sns-message-type"] ?? "";
                context.Response.StatusCode = type == "Notification" ? Status : 200;
                context.Response.Close();
                _told.Enqueue(new Told(type, body, context.Request.Headers.AllKeys.ToDictionary(static k => k!.ToLowerInvariant(), k => context.Request.Headers[k]!)));
            }
        }
        catch (Exception error) when (error is HttpListenerException or ObjectDisposedException)
        {
            // It was closed.
        }
    }
}
