using Dragoman.Broker.Links;
using Dragoman.Links.Messages;

namespace Dragoman.Links.Ends;

/// <summary>Where a link takes messages from.</summary>
internal interface ILinkSource : IAsyncDisposable
{
    /// <summary>The broker, for people.</summary>
    string Uri { get; }

    /// <summary>Whether a broker that was killed may hand out what was acknowledged to it.</summary>
    bool MayForget { get; }

    /// <summary>The queue of ours that messages come from, if it is one.</summary>
    Guid QueueId { get; }

    /// <summary>Connects, declares what is to be declared, and begins to consume.</summary>
    /// <exception cref="LinkException">It cannot.</exception>
    Task OpenAsync(CancellationToken cancellation);

    /// <summary>Messages that were ready when it was opened.</summary>
    long ReadyAtStart { get; }

    /// <summary>Whether the broker there was started anew since the link was last there, and may have forgotten something.</summary>
    bool HasForgotten { get; }

    /// <summary>Waits for messages, and takes as many as are there.</summary>
    /// <param name="maxMessages">How many at most.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="LinkException">There will be no more: the connection or the queue is gone.</exception>
    ValueTask<List<LinkMessage>> ReadAsync(int maxMessages, CancellationToken cancellation);

    /// <summary>Acknowledges messages, in the order in which they came.</summary>
    /// <param name="messages">The messages.</param>
    /// <param name="alreadyGone">Whether they have left the source in the commit that took them.</param>
    /// <param name="cancellation">Ends the wait.</param>
    ValueTask AcknowledgeAsync(IReadOnlyList<LinkMessage> messages, bool alreadyGone, CancellationToken cancellation);

    /// <summary>Completes when all acknowledgements were heard. Called after new messages were acknowledged, not after repeated ones alone.</summary>
    ValueTask ConfirmAsync(CancellationToken cancellation);

    /// <summary>Messages as a part of the commit that takes them; null where that cannot be.</summary>
    HeldMessages? Hold(IReadOnlyList<LinkMessage> messages);
}

/// <summary>What is known of the batch that a link has sent last to a broker elsewhere.</summary>
/// <param name="Run">The run of the link that has sent it.</param>
/// <param name="Sequence">Its number in that run.</param>
/// <param name="QueueId">The queue of ours that it came from; empty for none.</param>
/// <param name="Offsets">The offsets that the messages had there.</param>
/// <param name="Fingerprints">The fingerprints that the messages had at the source.</param>
/// <param name="Published">The fingerprints that they have at the target.</param>
internal sealed record SentBatch(Guid Run, long Sequence, Guid QueueId, IReadOnlyList<long> Offsets, IReadOnlyList<ulong> Fingerprints, IReadOnlyList<ulong> Published)
{
    /// <summary>The batch with some of its messages alone.</summary>
    public SentBatch Only(Predicate<ulong> isPublished)
    {
        var kept = Enumerable.Range(0, Published.Count).Where(i => isPublished(Published[i])).ToList();
        return this with
        {
            Offsets = Offsets.Count == 0 ? [] : [.. kept.Select(i => Offsets[i])],
            Fingerprints = [.. kept.Select(i => Fingerprints[i])],
            Published = [.. kept.Select(i => Published[i])],
        };
    }
}

/// <summary>Where a link takes messages to.</summary>
internal interface ILinkTarget : IAsyncDisposable
{
    /// <summary>The broker, for people.</summary>
    string Uri { get; }

    /// <summary>Whether messages wait for the target to take them.</summary>
    bool IsBlocked { get; }

    /// <summary>Whether what a link remembers is a part of what it writes.</summary>
    bool Remembers { get; }

    /// <summary>Connects, and declares what is to be declared.</summary>
    /// <exception cref="LinkException">It cannot.</exception>
    Task OpenAsync(CancellationToken cancellation);

    /// <summary>The newest batch that the target has for sure; null if none is known.</summary>
    SentBatch? LastBatch { get; }

    /// <summary>Writes messages; completes when the target has them for sure.</summary>
    /// <exception cref="LinkException">It cannot; whether the target has them is told by <see cref="LastBatch"/> when it is opened again.</exception>
    ValueTask WriteAsync(LinkWrite write, CancellationToken cancellation);
}

/// <summary>Messages to be written.</summary>
/// <param name="Messages">The messages.</param>
/// <param name="Confirmed">How many of the messages taken before are forgotten where they came from.</param>
/// <param name="Held">The messages as a part of the commit that takes them, where that can be.</param>
/// <param name="QueueId">The queue of ours that they come from; empty for none.</param>
/// <param name="IsSafe">Whether it matters that the target has them for sure.</param>
internal sealed record LinkWrite(IReadOnlyList<LinkMessage> Messages, long Confirmed, HeldMessages? Held, Guid QueueId, bool IsSafe);
