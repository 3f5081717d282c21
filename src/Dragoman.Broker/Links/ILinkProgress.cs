using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Broker.Links;

/// <summary>What a link has taken.</summary>
/// <param name="Taken">Messages in all.</param>
/// <param name="Confirmed">How many of them, from the first on, are known to be forgotten where they came from.</param>
/// <param name="Fingerprints">The fingerprints of the newest ones, oldest first.</param>
/// <param name="Position">The offset after the last message taken from a log of our own that keeps what was read; -1 for none.</param>
public readonly record struct LinkMemory(long Taken, long Confirmed, IReadOnlyList<ulong> Fingerprints, long Position);

/// <summary>Messages that a consumer of a queue of ours holds, and that leave it.</summary>
/// <param name="Queue">The queue.</param>
/// <param name="Consumer">Who holds them.</param>
/// <param name="Offsets">Their offsets, one for each message of the batch.</param>
public sealed record HeldMessages(IQueueHandle Queue, IConsumer Consumer, IReadOnlyList<long> Offsets);

/// <summary>
/// How far links between this broker and others have come. What a link publishes here, and that it has, is one commit: so a
/// message that its source hands out again after a crash is known, and not published twice.
/// </summary>
public interface ILinkProgress
{
    /// <summary>What a link has taken; nothing if it is not known.</summary>
    LinkMemory Find(string link);

    /// <summary>The links of which something is known.</summary>
    IReadOnlyList<string> List();

    /// <summary>Publishes messages, and remembers them; the answer comes when that is durable.</summary>
    /// <param name="link">The link.</param>
    /// <param name="batch">The messages; they stay the caller's.</param>
    /// <param name="confirmed">How many of the messages taken before are forgotten where they came from.</param>
    /// <param name="held">Where the messages come from, if that is a queue of ours: they leave it in the same commit.</param>
    /// <param name="positions">
    /// If they come from a log that keeps what was read, for each message the offset to go on from if it is the first one that is
    /// refused, and one more for the case that none is; else null.
    /// </param>
    /// <param name="cancellation">Ends the wait for admission; what was admitted runs to its end.</param>
    ValueTask<PublishSetAnswer> PublishAsync(string link, PublishSet batch, long confirmed = 0, HeldMessages? held = null, IReadOnlyList<long>? positions = null, CancellationToken cancellation = default);

    /// <summary>Remembers messages that were taken and are elsewhere already; completes when that is durable.</summary>
    ValueTask<PublishSetAnswer> RememberAsync(string link, ReadOnlyMemory<ulong> fingerprints, long confirmed = 0, long position = -1, CancellationToken cancellation = default);

    /// <summary>Forgets a link.</summary>
    ValueTask<PublishSetAnswer> ForgetAsync(string link, CancellationToken cancellation = default);
}
