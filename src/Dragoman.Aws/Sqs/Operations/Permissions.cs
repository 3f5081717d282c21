using System.Text.Json.Nodes;
using Dragoman.Aws.Http;
using Dragoman.Aws.Sqs.Attributes;
using Dragoman.Broker.Queues;

namespace Dragoman.Aws.Sqs.Operations;

/// <summary>Adds a statement to a queue's policy. Policies are kept and shown; what clients may do here, the broker's own permissions say.</summary>
internal sealed class AddPermission(AwsNode node, QueueAccess access) : IOperation
{
    public bool HasResult => false;

    public async ValueTask HandleAsync(AwsCall call)
    {
        var queue = access.Find(call, Broker.Security.Operations.Alter, "addpermission");
        var label = call.Input.Required("Label");
        var accounts = call.Input.Texts("AWSAccountIds", "AWSAccountId");
        var actions = call.Input.Texts("Actions", "ActionName");
        if (label.Length is 0 or > 80) throw SqsErrors.InvalidParameter(label, "Label", "Label must be 1 to 80 characters long.");
        if (accounts.Count == 0) throw AwsException.MissingParameter("AWSAccountIds");
        if (actions.Count == 0) throw AwsException.MissingParameter("Actions");
        var arn = QueueUrl.ArnOf(call, node, queue.Name.Name);
        Change(queue.Settings);
        await SettingsChange.ApplyAsync(node, call, queue, Change);

        QueueSettings Change(QueueSettings settings)
        {
            var policy = PolicyDocument.Of(settings, arn);
            if (policy.Find(label) is not null) throw SqsErrors.InvalidParameter(label, "Label", "Already exists.");
            policy.Add(label, accounts, actions, arn);
            return policy.Keep(settings);
        }
    }
}

/// <summary>Removes a statement from a queue's policy.</summary>
internal sealed class RemovePermission(AwsNode node, QueueAccess access) : IOperation
{
    public bool HasResult => false;

    public async ValueTask HandleAsync(AwsCall call)
    {
        var queue = access.Find(call, Broker.Security.Operations.Alter, "removepermission");
        var label = call.Input.Required("Label");
        var arn = QueueUrl.ArnOf(call, node, queue.Name.Name);
        Change(queue.Settings);
        await SettingsChange.ApplyAsync(node, call, queue, Change);

        QueueSettings Change(QueueSettings settings)
        {
            var policy = PolicyDocument.Of(settings, arn);
            if (!policy.Remove(label)) throw SqsErrors.InvalidParameter(label, "Label", "can't find label.");
            return policy.Keep(settings);
        }
    }
}

/// <summary>A queue's policy, as JSON.</summary>
internal sealed class PolicyDocument
{
    private readonly JsonObject _document;

    private PolicyDocument(JsonObject document) => _document = document;

    /// <summary>The policy that a queue has, or an empty one.</summary>
    public static PolicyDocument Of(QueueSettings settings, string arn) => new(
        QueueAttributes.Kept(settings, AttributeNames.Policy) is { } text && JsonNode.Parse(text) is JsonObject known
            ? known
            : new JsonObject { ["Version"] = "2008-10-17", ["Id"] = $"{arn}/SQSDefaultPolicy", ["Statement"] = new JsonArray() });

    private JsonArray Statements
    {
        get
        {
            if (_document["Statement"] is JsonArray list) return list;
            var statements = new JsonArray();
            if (_document["Statement"] is { } only)
            {
                _document.Remove("Statement");
                statements.Add(only);
            }
            _document["Statement"] = statements;
            return statements;
        }
    }

    /// <summary>A statement by its label; null if there is none.</summary>
    public JsonNode? Find(string label) => Statements.FirstOrDefault(s => s?["Sid"]?.ToString() == label);

    /// <summary>Adds a statement.</summary>
    public void Add(string label, IReadOnlyList<string> accounts, IReadOnlyList<string> actions, string arn) => Statements.Add(new JsonObject
    {
        ["Sid"] = label,
        ["Effect"] = "Allow",
        ["Principal"] = new JsonObject { ["AWS"] = OneOrMany([.. accounts.Select(static a => a == "*" ? a : $"arn:aws:iam::{a}:root")]) },
        ["Action"] = OneOrMany([.. actions.Select(static a => a == "*" ? "SQS:*" : $"SQS:{a}")]),
        ["Resource"] = arn,
    });

    /// <summary>Removes a statement; false if there is none.</summary>
    public bool Remove(string label) => Find(label) is { } found && Statements.Remove(found);

    /// <summary>Keeps it with the queue; a policy without statements is none.</summary>
    public QueueSettings Keep(QueueSettings settings) => QueueAttributes.Keep(settings, AttributeNames.Policy, Statements.Count == 0 ? null : _document.ToJsonString());

    private static JsonNode OneOrMany(IReadOnlyList<string> values)
    {
        if (values.Count == 1) return JsonValue.Create(values[0])!;
        var list = new JsonArray();
        foreach (var value in values) list.Add((JsonNode?)JsonValue.Create(value));
        return list;
    }
}
