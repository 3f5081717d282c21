namespace Dragoman.Broker.Routing.Forwarding;

/// <summary>Mistakes that tests plant, to see that they are found.</summary>
internal sealed record ForwardingDefects
{
    /// <summary>Progress is noted in a commit of its own, behind the messages: a crash between the two doubles them.</summary>
    public bool ProgressLater { get; init; }

    /// <summary>Progress is noted in a commit of its own, before the messages: a crash between the two loses them.</summary>
    public bool ProgressFirst { get; init; }
}
