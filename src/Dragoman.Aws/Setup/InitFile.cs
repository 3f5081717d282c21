using System.Text.Json;
using System.Text.Json.Nodes;
using Dragoman.Aws.Http;
using Dragoman.Protocols.Authentication;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Aws.Setup;

/// <summary>
/// Makes the queues, topics and subscriptions that a file names, through the same operations as clients do: what is there
/// already stays, if it is as the file says.
/// </summary>
/// <remarks>
/// The file is a JSON object: <c>queues</c> and <c>topics</c> are lists of objects with a <c>name</c> and, where wanted,
/// <c>attributes</c> and <c>tags</c>; <c>subscriptions</c> a list of objects with the name of a <c>topic</c>, that of a
/// <c>queue</c> or a <c>protocol</c> and an <c>endpoint</c>, and, where wanted, <c>attributes</c>. Attributes that are JSON
/// themselves may be written as objects; where such an object names a queue (<c>"deadLetterQueue": "name"</c>) its resource name is put in.
/// </remarks>
internal sealed class InitFile(IReadOnlyList<Service> services, AwsOptions options, Authenticator authenticator)
{
    private static readonly JsonDocumentOptions s_options = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    /// <summary>Makes what the file names.</summary>
    /// <param name="json">Its content.</param>
    /// <exception cref="InvalidDataException">It is not such a file, or something in it is refused; the message says what.</exception>
    public async Task ApplyAsync(string json)
    {
        JsonObject file;
        try
        {
            file = JsonNode.Parse(json, documentOptions: s_options) as JsonObject ?? throw new InvalidDataException("It should hold a JSON object.");
        }
        catch (JsonException error)
        {
            throw new InvalidDataException(error.Message, error);
        }
        foreach (var (key, _) in file)
            if (key is not ("queues" or "topics" or "subscriptions" or "region")) throw new InvalidDataException($"'{key}' is not known; there are queues, topics and subscriptions.");
        // Dead-letter queues are named by other queues' attributes, so they come first.
        var queues = ListOf(file, "queues").OrderBy(static q => q["attributes"]?["RedrivePolicy"] is not null).ToList();
        foreach (var queue in queues) await MakeQueueAsync(queue);
        foreach (var topic in ListOf(file, "topics"))
            await DoAsync("sns", "CreateTopic", new JsonObject { ["Name"] = NameOf(topic), ["Attributes"] = Attributes(topic, NameOf(topic)), ["Tags"] = TagList(topic) }, $"topic '{NameOf(topic)}'");
        foreach (var subscription in ListOf(file, "subscriptions")) await SubscribeAsync(subscription);
    }

    private Task MakeQueueAsync(JsonObject queue)
    {
        var name = NameOf(queue);
        var attributes = Attributes(queue, name);
        if (name.EndsWith(Sqs.Attributes.AttributeNames.FifoSuffix, StringComparison.Ordinal)) attributes.TryAdd("FifoQueue", "true");
        return DoAsync("sqs", "CreateQueue", new JsonObject { ["QueueName"] = name, ["Attributes"] = attributes, ["tags"] = queue["tags"]?.DeepClone() }, $"queue '{name}'");
    }

    private Task SubscribeAsync(JsonObject subscription)
    {
        var topic = (string?)subscription["topic"] ?? throw new InvalidDataException("A subscription names its topic.");
        var queue = (string?)subscription["queue"];
        var what = $"subscription of '{queue ?? (string?)subscription["endpoint"]}' to '{topic}'";
        return DoAsync("sns", "Subscribe", new JsonObject
        {
            ["TopicArn"] = $"arn:aws:sns:{options.Region}:{options.Account}:{topic}",
            ["Protocol"] = queue is null ? subscription["protocol"]?.DeepClone() : "sqs",
            ["Endpoint"] = queue is null ? subscription["endpoint"]?.DeepClone() : QueueArn(queue),
            ["Attributes"] = Attributes(subscription, what),
        }, what);
    }

    private async Task DoAsync(string serviceName, string operation, JsonObject parameters, string what)
    {
        var service = services.FirstOrDefault(s => s.Name == serviceName);
        if (service?.Find(operation) is not { } found) throw new InvalidDataException($"The {what} cannot be made here.");
        using var document = JsonDocument.Parse(parameters.ToJsonString());
        using var output = new JsonOutput();
        var context = new DefaultHttpContext();
        context.Request.Scheme = "http";
        context.Request.Host = new HostString("localhost");
        try
        {
            await found.HandleAsync(new AwsCall
            {
                Context = context,
                Input = new JsonInput(document.RootElement),
                Output = output,
                // Whoever may give the server its settings is no client.
                Identity = new ClientIdentity(authenticator.Accounts, authenticator.Accounts.Users.FirstOrDefault(static u => u.IsAdministrator)?.Name, "127.0.0.1"),
                Region = options.Region,
                IsQuery = false,
                RequestId = "",
            });
        }
        catch (AwsException error)
        {
            throw new InvalidDataException($"The {what} is refused: {error.Message}", error);
        }
    }

    private JsonObject Attributes(JsonObject node, string what)
    {
        var attributes = new JsonObject();
        if (node["attributes"] is not { } given) return attributes;
        foreach (var (name, value) in given as JsonObject ?? throw new InvalidDataException($"The attributes of {what} should be an object."))
        {
            if (value is JsonObject policy && (string?)policy["deadLetterQueue"] is { } dead)
            {
                policy = (JsonObject)policy.DeepClone();
                policy.Remove("deadLetterQueue");
                policy["deadLetterTargetArn"] = QueueArn(dead);
                attributes[name] = policy.ToJsonString();
            }
            else
            {
                attributes[name] = value switch { null => "", JsonValue text when text.GetValueKind() == JsonValueKind.String => (string)text!, _ => value.ToJsonString() };
            }
        }
        return attributes;
    }

    private string QueueArn(string name) => Sqs.QueueUrl.ArnOf(options.Region, options.Account, name);

    private static JsonArray TagList(JsonObject node)
    {
        var list = new JsonArray();
        foreach (var (key, value) in node["tags"] as JsonObject ?? []) list.Add((JsonNode)new JsonObject { ["Key"] = key, ["Value"] = value?.DeepClone() });
        return list;
    }

    private static string NameOf(JsonObject node) => (string?)node["name"] is { Length: > 0 } name ? name : throw new InvalidDataException("A queue or topic without a name.");

    private static IEnumerable<JsonObject> ListOf(JsonObject file, string name)
    {
        if (file[name] is not { } list) yield break;
        foreach (var item in list as JsonArray ?? throw new InvalidDataException($"'{name}' should be a list."))
            yield return item as JsonObject ?? throw new InvalidDataException($"'{name}' should be a list of objects.");
    }
}
