using Dragoman.Broker.Links;
using Dragoman.Links.Definitions;
using Dragoman.Links.Ends;
using Dragoman.Links.Messages;

namespace Dragoman.Links.Running;

/// <summary>What a link does beside carrying messages.</summary>
/// <param name="Name">The link's name in what is remembered.</param>
/// <param name="AckMode">When messages are acknowledged.</param>
/// <param name="DeleteAfter">Messages after which the work is done; see <see cref="ShovelDefinition.DeleteAfter"/>.</param>
/// <param name="Change">Makes of a message what goes to the target; null for a message that goes nowhere.</param>
internal sealed record PumpOptions(string Name, AckMode AckMode, long DeleteAfter, Func<LinkMessage, LinkMessage?> Change);

/// <summary>Counts of a link's run.</summary>
internal sealed class LinkCounts
{
    private long _forwarded;
    private long _repeated;
    private long _remaining = -1;
    private int _pending;

    /// <summary>Messages that went to the target.</summary>
    public long Forwarded => Volatile.Read(ref _forwarded);

    /// <summary>Messages that came once more, and were known.</summary>
    public long Repeated => Volatile.Read(ref _repeated);

    /// <summary>Messages until the work is done; -1 if it never is.</summary>
    public long Remaining
    {
        get => Volatile.Read(ref _remaining);
        set => Volatile.Write(ref _remaining, value);
    }

    /// <summary>Messages that are being written.</summary>
    public int Pending
    {
        get => Volatile.Read(ref _pending);
        set => Volatile.Write(ref _pending, value);
    }

    /// <summary>Counts messages.</summary>
    public void Add(long forwarded, long repeated)
    {
        Interlocked.Add(ref _forwarded, forwarded);
        Interlocked.Add(ref _repeated, repeated);
    }
}

/// <summary>
/// Carries messages from a source to a target, one batch after the other: written first, acknowledged then. While a batch is
/// written the next one arrives.
/// </summary>
internal sealed class Pump(PumpOptions options, ILinkSource source, ILinkTarget target, Recollection memory, ILinkProgress progress, LinkCounts counts)
{
    private const int MaxBatch = 500;

    /// <summary>Carries messages until something ends it.</summary>
    /// <param name="stop">Ends the wait for messages.</param>
    /// <param name="abort">Ends everything.</param>
    /// <exception cref="LinkException">It cannot go on.</exception>
    /// <exception cref="LinkCompletedException">Its work is done.</exception>
    public async Task RunAsync(CancellationToken stop, CancellationToken abort)
    {
        var remaining = options.DeleteAfter == ShovelDefinition.QueueLength ? source.ReadyAtStart : options.DeleteAfter;
        var confirming = Task.CompletedTask;
        // What only the target has told of so far, until the next batch is written there, is noted here first.
        if (options.AckMode == AckMode.OnConfirm && memory.TakeUnnoted() is { Length: > 0 } unnoted) await RememberAsync(unnoted, -1, abort).ConfigureAwait(false);
        while (true)
        {
            counts.Remaining = remaining;
            if (remaining == 0)
            {
                await confirming.ConfigureAwait(false);
                throw new LinkCompletedException();
            }
            List<LinkMessage> arrived;
            try
            {
                arrived = await source.ReadAsync(remaining < 0 ? MaxBatch : (int)Math.Min(remaining, MaxBatch), stop).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                // What was acknowledged should be heard before the connection is closed.
                await confirming.ConfigureAwait(false);
                throw;
            }
            var (repeated, others, fresh) = Sort(arrived);
            counts.Add(0, arrived.Count - fresh.Count);
            if (repeated.Count > 0)
            {
                // Once the next batch is written, the target no longer tells of the one that these were in.
                await confirming.ConfigureAwait(false);
                await source.AcknowledgeAsync(repeated, false, abort).ConfigureAwait(false);
            }
            if (others.Count == 0) continue;
            counts.Pending = fresh.Count;
            var isGone = fresh.Count > 0 && await WriteAsync(fresh, abort).ConfigureAwait(false);
            counts.Pending = 0;
            // One acknowledgement's answer is waited for before the next is sent: the order is theirs.
            await confirming.ConfigureAwait(false);
            await source.AcknowledgeAsync(others, isGone && fresh.Count == others.Count, abort).ConfigureAwait(false);
            if (fresh.Count > 0)
            {
                memory.Acknowledge();
                confirming = ConfirmAsync(memory.Taken, abort);
            }
            counts.Add(fresh.Count, 0);
            if (remaining > 0) remaining -= fresh.Count;
        }
    }

    /// <summary>Tells what has come before from what has not.</summary>
    /// <returns>
    /// Those that came before and can be acknowledged at once: all of them where messages are settled one by one, and those in front
    /// of all others where an acknowledgement reaches back; then all others, and what is new of these.
    /// </returns>
    private (List<LinkMessage> Repeated, List<LinkMessage> Others, List<LinkMessage> Fresh) Sort(List<LinkMessage> arrived)
    {
        var (repeated, others, fresh) = (new List<LinkMessage>(), new List<LinkMessage>(arrived.Count), new List<LinkMessage>(arrived.Count));
        foreach (var message in arrived)
        {
            var isRepeated = memory.IsRepeated(message);
            if (!isRepeated) fresh.Add(message);
            if (isRepeated && (others.Count == 0 || !source.MayForget)) repeated.Add(message);
            else others.Add(message);
        }
        return (repeated, others, fresh);
    }

    /// <summary>Has the target take messages.</summary>
    /// <returns>Whether they have left the source with that.</returns>
    private async Task<bool> WriteAsync(List<LinkMessage> fresh, CancellationToken abort)
    {
        var changed = new List<LinkMessage>(fresh.Count);
        var dropped = new List<ulong>();
        foreach (var message in fresh)
        {
            if (options.Change(message) is { } carried) changed.Add(carried);
            else dropped.Add(message.Fingerprint);
        }
        var isSafe = options.AckMode == AckMode.OnConfirm;
        // What is carried nowhere has to leave the source by itself.
        var held = target.Remembers && changed.Count == fresh.Count ? source.Hold(fresh) : null;
        if (changed.Count > 0) await target.WriteAsync(new LinkWrite(changed, memory.Confirmed, held, source.QueueId, isSafe), abort).ConfigureAwait(false);
        memory.Take(source.MayForget ? fresh.Select(m => m.Fingerprint) : []);
        if (target.Remembers && changed.Count == fresh.Count) return held is not null;
        if (source.MayForget && isSafe) await RememberAsync(target.Remembers ? [.. dropped] : [.. fresh.Select(m => m.Fingerprint)], -1, abort).ConfigureAwait(false);
        else if (source is LocalSource { IsKept: true }) await RememberAsync([], fresh[^1].Number + 1, abort).ConfigureAwait(false);
        return false;
    }

    private async Task RememberAsync(ulong[] fingerprints, long position, CancellationToken abort)
    {
        while (true)
        {
            var answer = await progress.RememberAsync(options.Name, fingerprints, memory.Confirmed, position, abort).ConfigureAwait(false);
            if (answer.Status == Broker.Queues.QueueStatus.Ok) return;
            if (answer.Status != Broker.Queues.QueueStatus.Full) throw new LinkException(answer.Message ?? answer.Status.ToString());
            await Task.Delay(TimeSpan.FromSeconds(1), abort).ConfigureAwait(false);
        }
    }

    private async Task ConfirmAsync(long taken, CancellationToken abort)
    {
        await source.ConfirmAsync(abort).ConfigureAwait(false);
        memory.Confirm(taken);
    }
}
