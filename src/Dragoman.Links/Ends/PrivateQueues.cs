using System.Buffers;
using System.Globalization;
using System.IO.Hashing;
using System.Text;
using Dragoman.Storage.Platform;
using RabbitMQ.Client;

namespace Dragoman.Links.Ends;

/// <summary>
/// The queues that a link has at a broker elsewhere. Two hold one message each: one says which batch came last, and is
/// written in the transaction that publishes the batch; the other is there for as long as that broker runs, so that a link
/// learns when it was started anew. The third belongs to the connection and holds nothing: while it is there, so is a
/// connection of the link, and what that one has sent may still be carried out.
/// </summary>
/// <param name="connection">The connection.</param>
/// <param name="link">What the link is called, over all brokers.</param>
internal sealed class PrivateQueues(RemoteConnection connection, string link)
{
    // A queue that nobody has asked for in all that time belongs to a link that is gone.
    private static readonly TimeSpan Unused = TimeSpan.FromDays(30);

    private static readonly TimeSpan RenewAfter = TimeSpan.FromHours(6);

    private readonly string _name = $"dragoman.link.{XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(link)).ToString("x16", CultureInfo.InvariantCulture)}";
    private DateTime _renewed = DateTime.UtcNow;

    /// <summary>The queue that tells the last batch.</summary>
    public string Progress => _name;

    private string Alive => _name + ".alive";

    private string Owner => _name + ".owner";

    private static Dictionary<string, object?> Arguments => new()
    {
        ["x-queue-type"] = "classic",
        ["x-max-length"] = 1,
        ["x-expires"] = (long)Unused.TotalMilliseconds,
    };

    /// <summary>Makes sure that no earlier connection of the link is still there: its last transaction could come after what is read now.</summary>
    /// <exception cref="LinkException">One is.</exception>
    public async Task OwnAsync(CancellationToken cancellation)
    {
        var refused = await connection.TryAsync(c => c.QueueDeclareAsync(Owner, durable: false, exclusive: true, autoDelete: false, cancellationToken: cancellation), cancellation).ConfigureAwait(false);
        // Without the permission there is no progress to read either.
        if (refused is { Code: Constants.ResourceLocked }) throw new LinkException("an earlier connection of this link has not ended yet");
    }

    /// <summary>Makes sure that there is a queue for the last batch.</summary>
    /// <returns>Whether there is.</returns>
    public async Task<bool> DeclareProgressAsync(CancellationToken cancellation) =>
        await connection.TryAsync(c => c.QueueDeclareAsync(Progress, durable: true, exclusive: false, autoDelete: false, Arguments, cancellationToken: cancellation), cancellation).ConfigureAwait(false) is null;

    /// <summary>Reads which batch came last.</summary>
    public async Task<SentBatch?> ReadProgressAsync(CancellationToken cancellation)
    {
        SentBatch? batch = null;
        await connection.TryAsync(
            async channel =>
            {
                // It is not acknowledged, so it goes back when the channel is closed.
                if (await channel.BasicGetAsync(Progress, autoAck: false, cancellation).ConfigureAwait(false) is { } found) batch = Decode(found.Body.Span);
            },
            cancellation).ConfigureAwait(false);
        return batch;
    }

    /// <summary>Tells the broker from time to time that the queue is in use.</summary>
    public async Task RenewAsync(CancellationToken cancellation)
    {
        if (DateTime.UtcNow - _renewed < RenewAfter) return;
        _renewed = DateTime.UtcNow;
        await DeclareProgressAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Looks whether the broker there was started since the link has left its sign; true also where that cannot be known.</summary>
    public async Task<bool> WasStartedAnewAsync(CancellationToken cancellation)
    {
        uint messages = 0;
        var missing = await connection.TryAsync(async c => messages = (await c.QueueDeclarePassiveAsync(Alive, cancellation).ConfigureAwait(false)).MessageCount, cancellation).ConfigureAwait(false);
        return missing is not null || messages == 0;
    }

    /// <summary>Leaves the sign by which the link learns that the broker there was started anew.</summary>
    public async Task SignAsync(CancellationToken cancellation)
    {
        // A queue that is not durable goes with the broker; newer ones have none, and their durable queues lose transient messages instead.
        if (!await DeclareAliveAsync(durable: false, cancellation).ConfigureAwait(false) && !await DeclareAliveAsync(durable: true, cancellation).ConfigureAwait(false)) return;
        await connection.TryAsync(
            async channel =>
            {
                await channel.TxSelectAsync(cancellation).ConfigureAwait(false);
                await channel.BasicPublishAsync("", Alive, mandatory: false, new BasicProperties { DeliveryMode = DeliveryModes.Transient }, ReadOnlyMemory<byte>.Empty, cancellation).ConfigureAwait(false);
                await channel.TxCommitAsync(cancellation).ConfigureAwait(false);
            },
            cancellation).ConfigureAwait(false);
    }

    /// <summary>Takes both queues away.</summary>
    public async Task DeleteAsync(CancellationToken cancellation)
    {
        foreach (var queue in new[] { Progress, Alive })
            await connection.TryAsync(c => c.QueueDeleteAsync(queue, ifUnused: false, ifEmpty: false, cancellationToken: cancellation), cancellation).ConfigureAwait(false);
    }

    private async Task<bool> DeclareAliveAsync(bool durable, CancellationToken cancellation)
    {
        var arguments = Arguments;
        // Without a life of its own it is there as long as the broker.
        if (!durable) arguments.Remove("x-expires");
        return await connection.TryAsync(c => c.QueueDeclareAsync(Alive, durable, exclusive: false, autoDelete: false, arguments, cancellationToken: cancellation), cancellation).ConfigureAwait(false) is null;
    }

    /// <summary>A batch as the message that tells of it.</summary>
    public static byte[] Encode(SentBatch batch)
    {
        var buffer = new ArrayBufferWriter<byte>(64 + 8 * (batch.Offsets.Count + 2 * batch.Fingerprints.Count));
        var writer = new SnapshotWriter(buffer);
        writer.Byte(1);
        writer.Guid(batch.Run);
        writer.Int64(batch.Sequence);
        writer.Guid(batch.QueueId);
        writer.Int32(batch.Offsets.Count);
        foreach (var offset in batch.Offsets) writer.Int64(offset);
        writer.Int32(batch.Fingerprints.Count);
        foreach (var fingerprint in batch.Fingerprints) writer.Int64((long)fingerprint);
        foreach (var fingerprint in batch.Published) writer.Int64((long)fingerprint);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The batch that a message tells of; null if it makes no sense.</summary>
    public static SentBatch? Decode(ReadOnlySpan<byte> bytes)
    {
        try
        {
            var reader = new SnapshotReader(bytes);
            reader.Version(1, "batch of a link");
            var (run, sequence, queue) = (reader.Guid(), reader.Int64(), reader.Guid());
            var offsets = new long[reader.Count()];
            for (var i = 0; i < offsets.Length; i++) offsets[i] = reader.Int64();
            var fingerprints = new ulong[reader.Count()];
            for (var i = 0; i < fingerprints.Length; i++) fingerprints[i] = (ulong)reader.Int64();
            var published = new ulong[fingerprints.Length];
            for (var i = 0; i < published.Length; i++) published[i] = (ulong)reader.Int64();
            reader.End("batch of a link");
            return new SentBatch(run, sequence, queue, offsets, fingerprints, published);
        }
        catch (CorruptDataException)
        {
            return null;
        }
    }
}
