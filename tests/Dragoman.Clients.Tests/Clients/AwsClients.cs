using System.Globalization;
using Amazon.Runtime;
using Amazon.SQS;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Clients;

/// <summary>AWS' SDK for .NET.</summary>
internal sealed class AwsSdkNet : IForeignClient
{
    public static string Name => "AWSSDK.SQS";

    public static Task<string> VersionAsync() => Task.FromResult(StackExchangeRedis.VersionOf(typeof(AmazonSQSClient)));

    /// <summary>Connects to a server, as anybody or with an access key.</summary>
    public static AmazonSQSClient Connect(DragomanServer server, string key = "test", string secret = "test") => new(
        new BasicAWSCredentials(key, secret),
        new AmazonSQSConfig { ServiceURL = $"http://{server.Address("aws")}", AuthenticationRegion = "us-east-1", MaxErrorRetry = 0, Timeout = TimeSpan.FromSeconds(60) });
}

/// <summary>Debian's boto3, which speaks the Query protocol.</summary>
internal sealed class Boto3 : IForeignClient
{
    public static string Name => "boto3";

    public static async Task<string> VersionAsync() => (await RunAsync("version", 0)).Trim();

    /// <summary>Runs one of the script's stories; fails if it does.</summary>
    public static async Task<string> RunAsync(string story, int port, params string[] arguments) =>
        (await Scripts.PythonAsync("tests/Dragoman.Clients.Tests/scripts/python/aws/boto3_client.py", [story, $"{port}", .. arguments])).Succeeded().Output;
}

/// <summary>Debian's AWS command line.</summary>
internal sealed class AwsCli : IForeignClient
{
    public static string Name => "awscli";

    public static async Task<string> VersionAsync() => (await ForeignProcess.RunAsync("/usr/bin/aws", ["--version"], environment: Environment)).Succeeded().Output.Split(' ')[0].Replace("aws-cli/", "", StringComparison.Ordinal);

    /// <summary>Runs a command to its end; fails if it does.</summary>
    public static async Task<string> RunAsync(int port, params string[] arguments) =>
        (await ForeignProcess.RunAsync("/usr/bin/aws", ["--endpoint-url", $"http://127.0.0.1:{port}", "--output", "json", .. arguments], environment: Environment)).Succeeded().Output;

    private static Dictionary<string, string?> Environment => new()
    {
        ["AWS_ACCESS_KEY_ID"] = "test",
        ["AWS_SECRET_ACCESS_KEY"] = "test",
        ["AWS_DEFAULT_REGION"] = "us-east-1",
        ["AWS_CA_BUNDLE"] = null,
        ["AWS_PAGER"] = "",
        ["PYTHONPATH"] = null,
        ["PYTHONHOME"] = null,
    };
}

/// <summary>AWS' SDK for JavaScript, from npm.</summary>
internal sealed class AwsSdkJs : IForeignClient
{
    public static string Name => "@aws-sdk/client-sqs";

    public static Task<string> VersionAsync() => NodePackages.VersionAsync("@aws-sdk/client-sqs");

    /// <summary>Runs one of the script's stories; fails if it does.</summary>
    public static async Task RunAsync(string story, int port) => (await Scripts.NodeAsync("tests/Dragoman.Clients.Tests/scripts/node/aws/sqs.mjs", [story, $"{port}"])).Succeeded();
}

/// <summary>AWS' SDK for JavaScript, its part for SNS, from npm.</summary>
internal sealed class AwsSnsJs : IForeignClient
{
    // The server's certificate is its own authority, as those of AWS are not.
    private static readonly Dictionary<string, string?> s_environment = new() { ["NODE_TLS_REJECT_UNAUTHORIZED"] = "0" };

    public static string Name => "@aws-sdk/client-sns";

    public static Task<string> VersionAsync() => NodePackages.VersionAsync("@aws-sdk/client-sns");

    /// <summary>Runs one of the script's stories; fails if it does.</summary>
    public static async Task RunAsync(string story, int port) =>
        (await Scripts.NodeAsync("tests/Dragoman.Clients.Tests/scripts/node/aws/sns.mjs", [story, $"{port}"], environment: s_environment)).Succeeded();
}

/// <summary>sns-validator, from npm.</summary>
internal sealed class SnsValidator : IForeignClient
{
    public static string Name => "sns-validator";

    public static Task<string> VersionAsync() => NodePackages.VersionAsync("sns-validator");
}

/// <summary>sqs-consumer, from npm.</summary>
internal sealed class SqsConsumer : IForeignClient
{
    public static string Name => "sqs-consumer";

    public static Task<string> VersionAsync() => NodePackages.VersionAsync("sqs-consumer");
}

/// <summary>Debian's Celery over SQS: an application with one worker.</summary>
internal sealed class CelerySqsApplication : IForeignClient
{
    private const string Directory = "tests/Dragoman.Clients.Tests/scripts/python/aws/celery";

    public static string Name => "Celery over SQS";

    public static async Task<string> VersionAsync()
    {
        using var workspace = new Workspace();
        return (await ForeignProcess.RunAsync(Scripts.Python, ["-u", "client.py", "version"], directory: Repository.PathOf(Directory), environment: Environment(4566, workspace.Path))).Succeeded().Output.Trim();
    }

    /// <summary>Starts a worker, sends it tasks, and waits until all are done; fails with what the worker said.</summary>
    public static async Task RunAsync(int port)
    {
        using var workspace = new Workspace();
        var environment = Environment(port, workspace.Path);
        await using var worker = ForeignProcess.Start(
            "/bin/sh", ["-c", "exec /usr/bin/python3 -m celery -A tasks worker --pool threads --concurrency 4 --loglevel INFO --without-gossip --without-mingle 2>&1"], Repository.PathOf(Directory), environment);
        await worker.ReadUntilAsync(line => line.EndsWith("ready.", StringComparison.Ordinal), TimeSpan.FromSeconds(60));
        var result = await ForeignProcess.RunAsync(Scripts.Python, ["-u", "client.py", "tasks"], directory: Repository.PathOf(Directory), environment: environment, limit: TimeSpan.FromSeconds(120));
        Assert.True(result.ExitCode == 0, $"{result.Error}\nThe worker said:\n{worker.Output}");
    }

    private static Dictionary<string, string?> Environment(int port, string workspace) => new()
    {
        ["BROKER"] = string.Create(CultureInfo.InvariantCulture, $"sqs://test:test@127.0.0.1:{port}//"),
        ["RESULTS"] = Path.Join(workspace, "results"),
        ["AWS_CA_BUNDLE"] = null,
        ["NO_COLOR"] = null,
        ["PYTHONPATH"] = null,
        ["PYTHONHOME"] = null,
        ["PYTHONDONTWRITEBYTECODE"] = "1",
    };
}
