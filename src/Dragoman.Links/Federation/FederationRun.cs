using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.IO.Hashing;
using System.Text;
using Dragoman.Broker.Links;
using Dragoman.Broker.Namespaces;
using Dragoman.Links.Ends;
using Dragoman.Links.Messages;
using Dragoman.Links.Running;
using Microsoft.Extensions.Logging;
using RabbitMQ.Client;

namespace Dragoman.Links.Federation;

/// <summary>A federation link that runs: an exchange's or a queue's, to one upstream.</summary>
/// <param name="broker">This broker.</param>
/// <param name="space">The namespace.</param>
/// <param name="name">The exchange or queue here.</param>
/// <param name="upstream">The upstream.</param>
/// <param name="isExchange">Whether it is an exchange's.</param>
internal abstract class FederationRun(Broker.Broker broker, NamespaceName space, string name, UpstreamDefinition upstream, bool isExchange) : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <summary>The exchange or queue there.</summary>
    public string UpstreamName { get; } = (isExchange ? upstream.Exchange : upstream.Queue) ?? name;

    /// <summary>What the link is called in what is remembered.</summary>
    public string Memory { get; } = $"federation/{space}/{(isExchange ? "exchange" : "queue")}/{name}/{upstream.Name}/{upstream.Uris[0].Shown}/{(isExchange ? upstream.Exchange : upstream.Queue)}";

    /// <summary>What the link is called in addresses.</summary>
    public string Id => XxHash32.HashToUInt32(Encoding.UTF8.GetBytes(Memory)).ToString("x8", CultureInfo.InvariantCulture);

    /// <summary>How it is.</summary>
    public FederationLink Description => new(space, Id, upstream.Name, upstream.Uris[0].Shown, isExchange, name, UpstreamName, upstream.ConsumerTag, Link.Status);

    /// <summary>This broker.</summary>
    protected Broker.Broker Broker => broker;

    /// <summary>The upstream.</summary>
    protected UpstreamDefinition Upstream => upstream;

    /// <summary>What the link is called over all brokers.</summary>
    protected string Worldwide => string.Create(CultureInfo.InvariantCulture, $"{broker.Id:n}/{Memory}");

    /// <summary>The link.</summary>
    protected Link Link { get; init; } = null!;

    /// <summary>Begins.</summary>
    public void Start() => Link.Start();

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return Link.DisposeAsync();
    }

    /// <summary>Forgets how far it has come, and takes away what it has upstream, as far as that can be reached.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "That the upstream cannot be reached keeps nobody from ending a link.")]
    public async Task ForgetAsync(ILogger log)
    {
        await broker.LinkProgress.ForgetAsync(Memory).ConfigureAwait(false);
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            await using var connection = await RemoteConnection.OpenAsync(upstream.Uris, "Dragoman link removal", limit.Token).ConfigureAwait(false);
            await new PrivateQueues(connection, Worldwide).DeleteAsync(limit.Token).ConfigureAwait(false);
            await CleanUpAsync(connection, limit.Token).ConfigureAwait(false);
        }
        catch (Exception error)
        {
            log.LogInformation("What the federation link to '{Upstream}' has left there stays: {Reason}", upstream.Name, RemoteConnection.Explain(error));
        }
    }

    /// <summary>Takes away what it has upstream.</summary>
    protected abstract Task CleanUpAsync(RemoteConnection connection, CancellationToken cancellation);

    /// <summary>Does something upstream that has to succeed.</summary>
    /// <exception cref="LinkException">It does not.</exception>
    protected static async Task RequireAsync(RemoteConnection connection, Func<IChannel, Task> action, CancellationToken cancellation)
    {
        if (await connection.TryAsync(action, cancellation).ConfigureAwait(false) is { } refused) throw new LinkException(refused.Text);
    }

    /// <summary>A message as it goes on.</summary>
    protected LinkMessage Changed(LinkMessage message, BasicProperties properties, Dictionary<string, object?> headers)
    {
        properties.Headers = headers;
        // Who published a message upstream is nobody here, unless that is said.
        if (!upstream.TrustsUserId) properties.UserId = null;
        return message.With(properties);
    }
}
