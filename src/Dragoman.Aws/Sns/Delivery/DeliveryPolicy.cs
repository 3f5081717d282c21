using System.Text.Json;
using System.Text.Json.Nodes;

namespace Dragoman.Aws.Sns.Delivery;

/// <summary>
/// How often and after which waits an HTTP endpoint is tried: at once, then with the least wait, then with waits that grow, then
/// with the longest. See AWS, "Amazon SNS message delivery retries".
/// </summary>
internal sealed record DeliveryPolicy
{
    public int MinDelaySeconds { get; init; } = 20;

    public int MaxDelaySeconds { get; init; } = 20;

    public int Retries { get; init; } = 3;

    public int NoDelayRetries { get; init; }

    public int MinDelayRetries { get; init; }

    public int MaxDelayRetries { get; init; }

    public string BackoffFunction { get; init; } = "linear";

    /// <summary>The most deliveries a second; null for no limit.</summary>
    public int? MaxReceivesPerSecond { get; init; }

    public string ContentType { get; init; } = "text/plain; charset=UTF-8";

    /// <summary>What the policies of a topic and a subscription come to.</summary>
    public static DeliveryPolicy Read(string? topic, string? subscription)
    {
        var policy = new DeliveryPolicy();
        var http = Parse(topic)?["http"] as JsonObject;
        if (http is not null)
        {
            policy = policy.With(http["defaultHealthyRetryPolicy"]).WithThrottle(http["defaultThrottlePolicy"]).WithRequest(http["defaultRequestPolicy"]);
            if (http["disableSubscriptionOverrides"]?.GetValueKind() == JsonValueKind.True) return policy;
        }
        return Parse(subscription) is { } own ? policy.With(own["healthyRetryPolicy"]).WithThrottle(own["throttlePolicy"]).WithRequest(own["requestPolicy"]) : policy;
    }

    /// <summary>How long to wait after a delivery that failed; null if it was the last.</summary>
    /// <param name="attempt">Which it was, from 1.</param>
    public TimeSpan? DelayAfter(int attempt)
    {
        if (attempt > Retries) return null;
        if (attempt <= NoDelayRetries) return TimeSpan.Zero;
        if (attempt <= NoDelayRetries + MinDelayRetries) return TimeSpan.FromSeconds(MinDelaySeconds);
        if (attempt > Retries - MaxDelayRetries) return TimeSpan.FromSeconds(MaxDelaySeconds);
        // The phase of growth: from the least to the longest.
        var steps = Retries - NoDelayRetries - MinDelayRetries - MaxDelayRetries;
        var step = attempt - NoDelayRetries - MinDelayRetries;
        if (steps <= 1 || MinDelaySeconds >= MaxDelaySeconds) return TimeSpan.FromSeconds(MinDelaySeconds);
        var (least, longest, at) = ((double)MinDelaySeconds, (double)MaxDelaySeconds, (step - 1.0) / (steps - 1.0));
        var seconds = BackoffFunction switch
        {
            "exponential" => Math.Max(least, 1) * Math.Pow(longest / Math.Max(least, 1), at),
            "geometric" => Math.Min(longest, Math.Max(least, 1) * Math.Pow(2, step - 1)),
            "arithmetic" => Math.Min(longest, least + (longest - least) * step * (step - 1) / Math.Max(1.0, steps * (steps - 1.0))),
            _ => least + (longest - least) * at,
        };
        return TimeSpan.FromSeconds(Math.Clamp(seconds, least, longest));
    }

    /// <summary>What a topic's policy comes to, as attributes show it.</summary>
    public static string EffectiveOfTopic(string? topic)
    {
        var policy = Read(topic, null);
        var overrides = (Parse(topic)?["http"] as JsonObject)?["disableSubscriptionOverrides"]?.GetValueKind() == JsonValueKind.True;
        return new JsonObject
        {
            ["http"] = new JsonObject
            {
                ["defaultHealthyRetryPolicy"] = policy.Retry(),
                ["disableSubscriptionOverrides"] = overrides,
                ["defaultRequestPolicy"] = new JsonObject { ["headerContentType"] = policy.ContentType },
            },
        }.ToJsonString(Relaxed);
    }

    /// <summary>What the policies of a topic and a subscription come to, as attributes show it.</summary>
    public static string EffectiveOfSubscription(string? topic, string? subscription)
    {
        var policy = Read(topic, subscription);
        return new JsonObject
        {
            ["healthyRetryPolicy"] = policy.Retry(),
            ["sicklyRetryPolicy"] = null,
            ["throttlePolicy"] = policy.MaxReceivesPerSecond is { } most ? new JsonObject { ["maxReceivesPerSecond"] = most } : null,
            ["requestPolicy"] = policy.ContentType == new DeliveryPolicy().ContentType && Parse(subscription)?["requestPolicy"] is null ? null : new JsonObject { ["headerContentType"] = policy.ContentType },
            ["guaranteed"] = false,
        }.ToJsonString(Relaxed);
    }

    /// <summary>What is wrong with a policy; null if nothing is.</summary>
    public static string? Check(string json)
    {
        if (Parse(json) is not { } policy) return "failed to parse JSON.";
        var found = new DeliveryPolicy().With(policy["healthyRetryPolicy"] ?? (policy["http"] as JsonObject)?["defaultHealthyRetryPolicy"]);
        if (found.Retries is < 0 or > 100) return "healthyRetryPolicy.numRetries must be greater than or equal to 0 and less than or equal to 100";
        if (found.MinDelaySeconds is < 1 or > 3600 || found.MinDelaySeconds > found.MaxDelaySeconds) return "healthyRetryPolicy.minDelayTarget must be greater than 0 and less than or equal to maxDelayTarget";
        if (found.MaxDelaySeconds > 3600) return "healthyRetryPolicy.maxDelayTarget must be less than or equal to 3600";
        if (found.NoDelayRetries < 0 || found.MinDelayRetries < 0 || found.MaxDelayRetries < 0) return "healthyRetryPolicy.numRetries cannot have phases with less than 0 retries";
        if ((long)found.NoDelayRetries + found.MinDelayRetries + found.MaxDelayRetries > found.Retries) return "healthyRetryPolicy.numRetries must be greater than or equal to the sum of the retries of its phases";
        return found.BackoffFunction is "arithmetic" or "exponential" or "geometric" or "linear" ? null : "healthyRetryPolicy.backoffFunction must be one of: arithmetic, exponential, geometric or linear";
    }

    private static JsonSerializerOptions Relaxed { get; } = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static JsonObject? Parse(string? json)
    {
        if (string.IsNullOrEmpty(json)) return null;
        try
        {
            return JsonNode.Parse(json, documentOptions: TopicAttributes.Strict) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private JsonObject Retry() => new()
    {
        ["minDelayTarget"] = MinDelaySeconds,
        ["maxDelayTarget"] = MaxDelaySeconds,
        ["numRetries"] = Retries,
        ["numMaxDelayRetries"] = MaxDelayRetries,
        ["numNoDelayRetries"] = NoDelayRetries,
        ["numMinDelayRetries"] = MinDelayRetries,
        ["backoffFunction"] = BackoffFunction,
    };

    private DeliveryPolicy With(JsonNode? node) => node is not JsonObject retry ? this : this with
    {
        MinDelaySeconds = Number(retry, "minDelayTarget") ?? MinDelaySeconds,
        MaxDelaySeconds = Number(retry, "maxDelayTarget") ?? MaxDelaySeconds,
        Retries = Number(retry, "numRetries") ?? Retries,
        NoDelayRetries = Number(retry, "numNoDelayRetries") ?? NoDelayRetries,
        MinDelayRetries = Number(retry, "numMinDelayRetries") ?? MinDelayRetries,
        MaxDelayRetries = Number(retry, "numMaxDelayRetries") ?? MaxDelayRetries,
        BackoffFunction = retry["backoffFunction"] is JsonValue text && text.TryGetValue<string>(out var name) ? name : BackoffFunction,
    };

    private DeliveryPolicy WithThrottle(JsonNode? node) => node is JsonObject throttle && Number(throttle, "maxReceivesPerSecond") is > 0 and var most ? this with { MaxReceivesPerSecond = most } : this;

    private DeliveryPolicy WithRequest(JsonNode? node) =>
        node is JsonObject request && request["headerContentType"] is JsonValue value && value.TryGetValue<string>(out var type) ? this with { ContentType = type } : this;

    private static int? Number(JsonObject from, string name) => from[name] is JsonValue value && value.TryGetValue<int>(out var number) ? number : null;
}
