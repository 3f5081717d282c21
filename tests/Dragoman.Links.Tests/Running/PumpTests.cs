using Dragoman.Broker.Links;
using Dragoman.Broker.Queues;
using Dragoman.Links.Definitions;
using Dragoman.Links.Ends;
using Dragoman.Links.Messages;
using Dragoman.Links.Running;
using RabbitMQ.Client;

namespace Dragoman.Links.Tests.Running;

public sealed class PumpTests
{
    [Fact]
    public async Task What_the_target_has_already_is_settled_before_it_is_told_of_the_next_batch()
    {
        var source = new Source([0, 1, 2, 3, 4]);
        var target = new BrokenTarget(source);
        var memory = new Recollection(new LinkMemory(0, 0, [], -1));
        memory.Begin(source, new SentBatch(Guid.NewGuid(), 1, source.QueueId, [0, 1, 2], [0, 1, 2], [0, 1, 2]));
        var pump = new Pump(new PumpOptions("link", AckMode.OnConfirm, -1, static m => m), source, target, memory, new NoProgress(), new LinkCounts());
        await Assert.ThrowsAsync<LinkException>(() => pump.RunAsync(default, default));
        // The target speaks of the last batch alone: what it had before must be gone from the source by then.
        Assert.Equal([0L, 1, 2], target.SettledBefore);
        Assert.Equal([3L, 4], target.Written);
        Assert.Equal([0L, 1, 2], source.Settled);
    }

    private sealed class Source(long[] offsets) : ILinkSource
    {
        private bool _isRead;

        public List<long> Settled { get; } = [];

        public string Uri => "amqp://";

        public bool MayForget => false;

        public Guid QueueId { get; } = Guid.NewGuid();

        public long ReadyAtStart => offsets.Length;

        public bool HasForgotten => false;

        public Task OpenAsync(CancellationToken cancellation) => Task.CompletedTask;

        public ValueTask<List<LinkMessage>> ReadAsync(int maxMessages, CancellationToken cancellation)
        {
            if (_isRead) throw new LinkException("There are no more.");
            _isRead = true;
            return ValueTask.FromResult(offsets.Select(static o => new LinkMessage { Exchange = "", RoutingKey = "", Properties = new BasicProperties(), Body = new byte[1], Number = o, Fingerprint = (ulong)o }).ToList());
        }

        public ValueTask AcknowledgeAsync(IReadOnlyList<LinkMessage> messages, bool alreadyGone, CancellationToken cancellation)
        {
            Settled.AddRange(messages.Select(static m => m.Number));
            return default;
        }

        public ValueTask ConfirmAsync(CancellationToken cancellation) => default;

        public HeldMessages? Hold(IReadOnlyList<LinkMessage> messages) => null;

        public ValueTask DisposeAsync() => default;
    }

    /// <summary>Notes what it is to write, and breaks down with it.</summary>
    private sealed class BrokenTarget(Source source) : ILinkTarget
    {
        public List<long> SettledBefore { get; } = [];

        public List<long> Written { get; } = [];

        public string Uri => "amqp://elsewhere";

        public bool IsBlocked => false;

        public bool Remembers => false;

        public SentBatch? LastBatch => null;

        public Task OpenAsync(CancellationToken cancellation) => Task.CompletedTask;

        public ValueTask WriteAsync(LinkWrite write, CancellationToken cancellation)
        {
            SettledBefore.AddRange(source.Settled);
            Written.AddRange(write.Messages.Select(static m => m.Number));
            throw new LinkException("The connection is gone.");
        }

        public ValueTask DisposeAsync() => default;
    }

    private sealed class NoProgress : ILinkProgress
    {
        public LinkMemory Find(string link) => throw new NotSupportedException();

        public IReadOnlyList<string> List() => [];

        public ValueTask<PublishSetAnswer> PublishAsync(string link, PublishSet batch, long confirmed = 0, HeldMessages? held = null, IReadOnlyList<long>? positions = null, CancellationToken cancellation = default) => throw new NotSupportedException();

        public ValueTask<PublishSetAnswer> RememberAsync(string link, ReadOnlyMemory<ulong> fingerprints, long confirmed = 0, long position = -1, CancellationToken cancellation = default) => throw new NotSupportedException();

        public ValueTask<PublishSetAnswer> ForgetAsync(string link, CancellationToken cancellation = default) => throw new NotSupportedException();
    }
}
