using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using System.Xml.Linq;

namespace Dragoman.Faults.Load;

/// <summary>SQS' JSON protocol over HTTP, without an SDK that would try again by itself.</summary>
internal sealed class SqsClient(IPEndPoint server) : IDisposable
{
    // A connection to a broker that was killed is not used again, and one that hangs is given up.
    private readonly HttpClient _http = new(new SocketsHttpHandler { PooledConnectionIdleTimeout = TimeSpan.FromSeconds(1) }) { BaseAddress = new Uri($"http://{server}"), Timeout = TimeSpan.FromSeconds(30) };

    /// <summary>Makes a queue; returns its URL.</summary>
    public async Task<string> CreateQueueAsync(string name, JsonObject? attributes = null) =>
        (string)(await CallAsync("CreateQueue", new JsonObject { ["QueueName"] = name, ["Attributes"] = attributes }))["QueueUrl"]!;

    /// <summary>Calls an operation that has to succeed.</summary>
    /// <exception cref="HttpRequestException">It did not, or the broker is not there.</exception>
    public async Task<JsonNode> CallAsync(string operation, JsonObject input)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/") { Content = new StringContent(input.ToJsonString(), Encoding.UTF8, new MediaTypeHeaderValue("application/x-amz-json-1.0")) };
        request.Headers.Add("X-Amz-Target", $"AmazonSQS.{operation}");
        using var response = await _http.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        if (!response.IsSuccessStatusCode) throw new HttpRequestException(text, null, response.StatusCode);
        return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
    }

    /// <summary>Calls an operation of SNS that has to succeed, in its Query protocol.</summary>
    /// <exception cref="HttpRequestException">It did not, or the broker is not there.</exception>
    public async Task<XElement> AskSnsAsync(string action, params (string Name, string Value)[] parameters)
    {
        using var content = new FormUrlEncodedContent([new("Action", action), new("Version", "2010-03-31"), .. parameters.Select(static p => new KeyValuePair<string, string>(p.Name, p.Value))]);
        using var response = await _http.PostAsync(new Uri("/", UriKind.Relative), content);
        var text = await response.Content.ReadAsStringAsync();
        if (!response.IsSuccessStatusCode) throw new HttpRequestException(text, null, response.StatusCode);
        return XElement.Parse(text);
    }

    /// <summary>How many messages a queue has: those that wait, and those that are held.</summary>
    public async Task<(int Ready, int Held)> CountAsync(string queue)
    {
        var attributes = (await CallAsync("GetQueueAttributes", new JsonObject { ["QueueUrl"] = queue, ["AttributeNames"] = new JsonArray("All") }))["Attributes"]!;
        return (Number("ApproximateNumberOfMessages") + Number("ApproximateNumberOfMessagesDelayed"), Number("ApproximateNumberOfMessagesNotVisible"));

        int Number(string name) => int.Parse((string)attributes[name]!, System.Globalization.CultureInfo.InvariantCulture);
    }

    public void Dispose() => _http.Dispose();
}
