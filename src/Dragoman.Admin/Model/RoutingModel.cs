namespace Dragoman.Admin.Model;

/// <summary>Exchanges: topics of which it was declared how they route.</summary>
/// <param name="Exchanges">In the order of their names.</param>
/// <param name="Next">What to give as <c>after</c> to get the next ones; null where these are the last.</param>
public sealed record ExchangeList(IReadOnlyList<ExchangeModel> Exchanges, string? Next = null);

/// <summary>How a topic routes what is published to it.</summary>
public sealed record ExchangeModel
{
    /// <summary>Its namespace, <c>tenant/namespace</c>.</summary>
    public required string Namespace { get; init; }

    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>How routes are matched: <c>direct</c>, <c>fanout</c>, <c>topic</c> or <c>headers</c>.</summary>
    public required string Type { get; init; }

    /// <summary>Whether it is there after a restart.</summary>
    public required bool Durable { get; init; }

    /// <summary>Whether it goes with its last route.</summary>
    public required bool AutoDelete { get; init; }

    /// <summary>Whether only other exchanges may publish to it.</summary>
    public required bool Internal { get; init; }

    /// <summary>The exchange that gets what no route takes.</summary>
    public string? Alternate { get; init; }

    /// <summary>Whether it keeps a log too, as a topic.</summary>
    public required bool HasLog { get; init; }

    /// <summary>How many routes begin there.</summary>
    public required int Bindings { get; init; }

    /// <summary>The routes that begin there. Not in lists.</summary>
    public IReadOnlyList<BindingModel>? Routes { get; init; }

    /// <summary>How far the routes have carried the records of its log. Not in lists.</summary>
    public IReadOnlyList<ForwardingModel>? Forwarding { get; init; }
}

/// <summary>How far routes have carried the records of a partition.</summary>
/// <param name="Partition">The partition.</param>
/// <param name="NextOffset">The first offset that was not carried on yet.</param>
/// <param name="EndOffset">The end of what is to be carried on.</param>
/// <param name="Lost">Offsets that were removed before they were carried on.</param>
/// <param name="Refused">Messages that a target refused.</param>
/// <param name="Problem">Why it does not go on now.</param>
public sealed record ForwardingModel(int Partition, long NextOffset, long EndOffset, long Lost, long Refused, string? Problem = null);

/// <summary>An exchange to be created.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type"><c>direct</c> (the default), <c>fanout</c>, <c>topic</c> or <c>headers</c>.</param>
/// <param name="Durable">Whether it is there after a restart.</param>
/// <param name="AutoDelete">Whether it goes with its last route.</param>
/// <param name="Internal">Whether only other exchanges may publish to it.</param>
/// <param name="Alternate">The exchange that gets what no route takes.</param>
public sealed record CreateExchangeRequest(string Name, string Type = "direct", bool Durable = true, bool AutoDelete = false, bool Internal = false, string? Alternate = null);

/// <summary>Bindings.</summary>
/// <param name="Bindings">In the order of their exchanges' names.</param>
/// <param name="Next">What to give as <c>after</c> to get the next ones; null where these are the last.</param>
public sealed record BindingList(IReadOnlyList<BindingModel> Bindings, string? Next = null);

/// <summary>A rule that carries messages from an exchange to a queue or to another exchange: one of the two is named.</summary>
/// <param name="Source">The exchange.</param>
/// <param name="Queue">The queue.</param>
/// <param name="Exchange">The other exchange.</param>
/// <param name="Key">The routing key, or the pattern; empty if missing.</param>
/// <param name="Arguments">What headers are matched with. In requests: texts, whole numbers and truth values.</param>
/// <param name="Namespace">The namespace. Not in requests, where the query names it.</param>
public sealed record BindingModel(
    string Source, string? Queue = null, string? Exchange = null, string? Key = null, IReadOnlyDictionary<string, System.Text.Json.JsonElement>? Arguments = null, string? Namespace = null);

/// <summary>Namespaces.</summary>
/// <param name="Namespaces">The default one first, the others in the order of their names.</param>
public sealed record NamespaceList(IReadOnlyList<NamespaceModel> Namespaces);

/// <summary>A namespace. AMQP calls it a virtual host.</summary>
/// <param name="Name">Its name, <c>tenant/namespace</c>.</param>
/// <param name="Description">What it is for.</param>
/// <param name="CreatedAt">When it was created; missing for the one that is always there. Not in requests.</param>
public sealed record NamespaceModel(string Name, string? Description = null, DateTimeOffset? CreatedAt = null);
