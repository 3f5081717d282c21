using System.Threading.Channels;
using Dragoman.Links.Messages;

namespace Dragoman.Links.Ends;

/// <summary>Messages that have arrived from a source and wait to be carried on: at most as many as may be under way.</summary>
internal sealed class Arrivals
{
    private const int MaxBatchBytes = 1 << 20;

    private readonly Channel<LinkMessage> _waiting = Channel.CreateUnbounded<LinkMessage>(new UnboundedChannelOptions { SingleReader = true });

    /// <summary>Adds a message.</summary>
    public void Add(LinkMessage message) => _waiting.Writer.TryWrite(message);

    /// <summary>There will be no more.</summary>
    public void End(Exception reason) => _waiting.Writer.TryComplete(reason);

    /// <summary>Waits for a message, and takes all that are there, up to a number and some bytes.</summary>
    public async ValueTask<List<LinkMessage>> ReadAsync(int maxMessages, CancellationToken cancellation)
    {
        var taken = new List<LinkMessage>();
        // What has arrived goes before the news that no more will.
        if (!await _waiting.Reader.WaitToReadAsync(cancellation).ConfigureAwait(false)) throw new LinkException("The source has ended.");
        for (var bytes = 0; taken.Count < maxMessages && bytes < MaxBatchBytes && _waiting.Reader.TryRead(out var message); bytes += message.Size) taken.Add(message);
        return taken;
    }
}
