using Dragoman.Aws.Http;
using Dragoman.Aws.Sqs;
using Microsoft.Extensions.Logging;

namespace Dragoman.Aws.Sns.Operations;

/// <summary>Records an application that would send to devices. Nothing is sent to any.</summary>
internal sealed class CreatePlatformApplication(SnsNode node) : IOperation
{
    private static readonly string[] Platforms = ["ADM", "APNS", "APNS_SANDBOX", "APNS_VOIP", "APNS_VOIP_SANDBOX", "BAIDU", "FCM", "GCM", "MACOS", "MACOS_SANDBOX", "MPNS", "WNS"];

    public async ValueTask HandleAsync(AwsCall call)
    {
        var name = call.Input.Text("Name") ?? "";
        if (name.Length == 0) throw SnsErrors.Invalid($"{name} Reason: cannot be empty");
        if (name.Length > 256) throw SnsErrors.Invalid($"{name} Reason: must be at most 256 characters long");
        if (!name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.')) throw SnsErrors.Invalid($"{name} Reason: must contain only characters 'a'-'z', 'A'-'Z', '0'-'9', '_', '-', and '.'");
        var platform = call.Input.Text("Platform") ?? "";
        if (!Platforms.Contains(platform)) throw SnsErrors.Invalid($"Platform Reason: {platform} is not supported");
        var attributes = SnsNode.AttributesOf(call.Input);
        if (attributes.Count == 0) throw SnsErrors.Null("attributes");
        var (hasPrincipal, hasCredential) = (attributes.Any(static a => a.Key == "PlatformPrincipal"), attributes.Any(static a => a.Key == "PlatformCredential"));
        if (hasPrincipal && !hasCredential && platform is not ("GCM" or "FCM")) throw SnsErrors.Invalid("Attributes Reason: PlatformPrincipal attribute provided without PlatformCredential");
        if (hasCredential && !hasPrincipal && platform is not ("GCM" or "FCM")) throw SnsErrors.Invalid("Attributes Reason: PlatformCredential attribute provided without PlatformPrincipal");
        var arn = $"arn:{QueueUrl.PartitionOf(call.Region)}:sns:{call.Region}:{node.Account}:app/{platform}/{name}";
        var kept = PlatformStore.FindApplication(node.Notifications, arn)?.Attributes ?? new SortedDictionary<string, string>(StringComparer.Ordinal) { ["Enabled"] = "true" };
        foreach (var (key, value) in attributes) kept[key] = value;
        await PlatformStore.PutApplicationAsync(node.Notifications, new PlatformEntry(arn, kept), call.Gone);
        node.Log.LogWarning("The application {Application} is recorded, and nothing is delivered to its devices: there is no such service here", arn);
        call.Output.Text("PlatformApplicationArn", arn);
    }

    /// <summary>The application that a request names.</summary>
    public static PlatformEntry Find(SnsNode node, AwsCall call)
    {
        var arn = call.Input.Need("PlatformApplicationArn");
        Arns.Split(arn, "PlatformApplicationArn");
        return PlatformStore.FindApplication(node.Notifications, arn) ?? throw SnsErrors.NotFound("PlatformApplication");
    }

    /// <summary>Writes attributes but for the secret ones.</summary>
    public static void Write(Output output, PlatformEntry entry)
    {
        output.BeginMap("Attributes", "entry", "key", "value");
        foreach (var (name, value) in entry.Attributes)
            if (name is not ("PlatformPrincipal" or "PlatformCredential")) output.Entry(name, value);
        output.EndMap();
    }
}

/// <summary>Forgets an application and its devices.</summary>
internal sealed class DeletePlatformApplication(SnsNode node) : IOperation
{
    public bool HasResult => false;

    public async ValueTask HandleAsync(AwsCall call) => await PlatformStore.RemoveApplicationAsync(node.Notifications, call.Input.Need("PlatformApplicationArn"), call.Gone);
}

/// <summary>Lists applications.</summary>
internal sealed class ListPlatformApplications(SnsNode node) : IOperation
{
    public ValueTask HandleAsync(AwsCall call)
    {
        SnsNode.WritePage(call, "PlatformApplications", PlatformStore.ListApplications(node.Notifications), static e => e.Arn, entry =>
        {
            call.Output.Text("PlatformApplicationArn", entry.Arn);
            CreatePlatformApplication.Write(call.Output, entry);
        });
        return default;
    }
}

/// <summary>Shows an application's attributes.</summary>
internal sealed class GetPlatformApplicationAttributes(SnsNode node) : IOperation
{
    public ValueTask HandleAsync(AwsCall call)
    {
        CreatePlatformApplication.Write(call.Output, CreatePlatformApplication.Find(node, call));
        return default;
    }
}

/// <summary>Changes an application's attributes.</summary>
internal sealed class SetPlatformApplicationAttributes(SnsNode node) : IOperation
{
    public bool HasResult => false;

    public async ValueTask HandleAsync(AwsCall call)
    {
        Arns.Split(call.Input.Need("PlatformApplicationArn"), "PlatformApplicationArn");
        var attributes = SnsNode.AttributesOf(call.Input);
        if (attributes.Count == 0) throw SnsErrors.Null("attributes");
        var entry = CreatePlatformApplication.Find(node, call);
        foreach (var (name, value) in attributes) entry.Attributes[name] = value;
        await PlatformStore.PutApplicationAsync(node.Notifications, entry, call.Gone);
    }
}

/// <summary>Records a device of an application.</summary>
internal sealed class CreatePlatformEndpoint(SnsNode node) : IOperation
{
    private const int MaxUserData = 2048;

    public async ValueTask HandleAsync(AwsCall call)
    {
        var application = CreatePlatformApplication.Find(node, call);
        var token = call.Input.Need("Token");
        var attributes = SnsNode.AttributesOf(call.Input).ToList();
        if (call.Input.Text("CustomUserData") is { } data && !attributes.Exists(static a => a.Key == "CustomUserData")) attributes.Add(("CustomUserData", data));
        Check(attributes);
        var known = PlatformStore.ListEndpoints(node.Notifications, application.Arn).FirstOrDefault(e => e.Attributes.GetValueOrDefault("Token") == token);
        if (known is not null)
        {
            if (attributes.Exists(a => known.Attributes.GetValueOrDefault(a.Key) != a.Value)) throw SnsErrors.Invalid($"Token Reason: Endpoint {known.Arn} already exists with the same Token, but different attributes.");
            call.Output.Text("EndpointArn", known.Arn);
            return;
        }
        var mark = application.Arn.IndexOf(":app/", StringComparison.Ordinal);
        var arn = $"{application.Arn[..mark]}:endpoint/{application.Arn[(mark + 5)..]}/{Guid.NewGuid()}";
        var kept = new SortedDictionary<string, string>(StringComparer.Ordinal) { ["Enabled"] = "true", ["Token"] = token };
        foreach (var (name, value) in attributes) kept[name] = value;
        await PlatformStore.PutEndpointAsync(node.Notifications, new PlatformEntry(arn, kept), call.Gone);
        call.Output.Text("EndpointArn", arn);
    }

    /// <summary>Refuses attributes that devices do not have.</summary>
    public static void Check(IReadOnlyList<(string Key, string Value)> attributes)
    {
        foreach (var (name, value) in attributes)
        {
            if (name is not ("Enabled" or "Token" or "CustomUserData")) throw SnsErrors.Invalid($"Attributes Reason: Invalid attribute name: {name}");
            if (name == "CustomUserData" && System.Text.Encoding.UTF8.GetByteCount(value) > MaxUserData) throw SnsErrors.Invalid("Attributes Reason: Invalid value for attribute: CustomUserData: must be at most 2048 bytes long in UTF-8 encoding");
        }
    }

    /// <summary>The device that a request names.</summary>
    public static PlatformEntry Find(SnsNode node, AwsCall call)
    {
        var arn = call.Input.Need("EndpointArn");
        if (Arns.Split(arn, "EndpointArn")[5].Count(static c => c == '/') != 3) throw SnsErrors.Invalid("EndpointArn Reason: Wrong number of slashes in relative portion of the ARN.");
        return PlatformStore.FindEndpoint(node.Notifications, arn) ?? throw SnsErrors.NotFound("Endpoint");
    }
}

/// <summary>Forgets a device; that there is none is no error.</summary>
internal sealed class DeleteEndpoint(SnsNode node) : IOperation
{
    public bool HasResult => false;

    public async ValueTask HandleAsync(AwsCall call) => await PlatformStore.RemoveEndpointAsync(node.Notifications, call.Input.Need("EndpointArn"), call.Gone);
}

/// <summary>Lists the devices of an application.</summary>
internal sealed class ListEndpointsByPlatformApplication(SnsNode node) : IOperation
{
    public ValueTask HandleAsync(AwsCall call)
    {
        var application = CreatePlatformApplication.Find(node, call);
        SnsNode.WritePage(call, "Endpoints", PlatformStore.ListEndpoints(node.Notifications, application.Arn), static e => e.Arn, entry =>
        {
            call.Output.Text("EndpointArn", entry.Arn);
            CreatePlatformApplication.Write(call.Output, entry);
        });
        return default;
    }
}

/// <summary>Shows a device's attributes.</summary>
internal sealed class GetEndpointAttributes(SnsNode node) : IOperation
{
    public ValueTask HandleAsync(AwsCall call)
    {
        CreatePlatformApplication.Write(call.Output, CreatePlatformEndpoint.Find(node, call));
        return default;
    }
}

/// <summary>Changes a device's attributes.</summary>
internal sealed class SetEndpointAttributes(SnsNode node) : IOperation
{
    public bool HasResult => false;

    public async ValueTask HandleAsync(AwsCall call)
    {
        var attributes = SnsNode.AttributesOf(call.Input);
        if (attributes.Count == 0) throw SnsErrors.Null("attributes");
        var entry = CreatePlatformEndpoint.Find(node, call);
        CreatePlatformEndpoint.Check(attributes);
        foreach (var (name, value) in attributes) entry.Attributes[name] = value;
        await PlatformStore.PutEndpointAsync(node.Notifications, entry, call.Gone);
    }
}
