using System.Net;
using System.Net.Http.Headers;
using System.Text;

namespace Dragoman.Aws.Sns.Delivery;

/// <summary>Why an endpoint did not take a message.</summary>
/// <param name="Code">A short name.</param>
/// <param name="Text">What is wrong, for a person.</param>
/// <param name="IsFinal">Whether it is not worth trying again.</param>
internal sealed record EndpointFailure(string Code, string Text, bool IsFinal);

/// <summary>A request to an endpoint, with the headers that SNS has.</summary>
internal static class EndpointRequest
{
    private const string Agent = "Amazon Simple Notification Service Agent";

    /// <summary>Makes a request.</summary>
    public static HttpRequestMessage Make(string endpoint, string type, Guid id, string topicArn, string? subscriptionArn, bool isRaw, ReadOnlyMemory<byte> body, string contentType)
    {
        var uri = new Uri(endpoint);
        var request = new HttpRequestMessage(HttpMethod.Post, uri.UserInfo.Length == 0 ? uri : new UriBuilder(uri) { UserName = "", Password = "" }.Uri);
        var headers = request.Headers;
        headers.TryAddWithoutValidation("User-Agent", Agent);
        headers.TryAddWithoutValidation("Connection", "Keep-Alive");
        headers.TryAddWithoutValidation("Accept-Encoding", "gzip,deflate");
        headers.TryAddWithoutValidation("x-amz-sns-message-type", type);
        headers.TryAddWithoutValidation("x-amz-sns-message-id", id.ToString());
        headers.TryAddWithoutValidation("x-amz-sns-topic-arn", topicArn);
        if (subscriptionArn is not null) headers.TryAddWithoutValidation("x-amz-sns-subscription-arn", subscriptionArn);
        if (isRaw) headers.TryAddWithoutValidation("x-amz-sns-rawdelivery", "true");
        if (uri.UserInfo.Length > 0) headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(uri.UserInfo))));
        request.Content = new ReadOnlyMemoryContent(body);
        request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        return request;
    }

    /// <summary>Sends a request.</summary>
    /// <returns>Why it was not taken; null if it was.</returns>
    public static async Task<EndpointFailure?> SendAsync(HttpClient http, HttpRequestMessage request, CancellationToken cancellation)
    {
        try
        {
            using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            var code = (int)response.StatusCode;
            if (code is >= 200 and < 300) return null;
            // The endpoint has understood and does not want it; asking again changes nothing.
            var isFinal = code is >= 300 and < 500 && response.StatusCode != HttpStatusCode.TooManyRequests;
            return new EndpointFailure(code < 500 ? "ClientError" : "ServerError", $"The endpoint answered with status {code}.", isFinal);
        }
        catch (HttpRequestException error)
        {
            return new EndpointFailure("ConnectionError", error.Message, false);
        }
        catch (IOException error)
        {
            return new EndpointFailure("ConnectionError", error.Message, false);
        }
        catch (OperationCanceledException)
        {
            return new EndpointFailure("Timeout", "The endpoint did not answer in time.", false);
        }
    }
}
