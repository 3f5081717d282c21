using CsCheck;
using Dragoman.Broker.Links;
using Dragoman.Links.Messages;
using Dragoman.Links.Running;
using RabbitMQ.Client;

namespace Dragoman.Links.Tests.Running;

/// <summary>What a link knows again.</summary>
public sealed class RecollectionTests
{
    private static LinkMessage Message(ulong fingerprint, bool redelivered) =>
        new() { Exchange = "", RoutingKey = "", Properties = new BasicProperties(), Body = default, Fingerprint = fingerprint, Number = 0, IsRedelivered = redelivered };

    [Fact]
    public void What_was_taken_and_not_acknowledged_is_known_when_it_comes_back()
    {
        var memory = new Recollection(new LinkMemory(0, 0, [], -1));
        memory.Take([1, 2, 3]);
        memory.Begin(hasForgotten: false);
        Assert.True(memory.IsRepeated(Message(2, redelivered: true)));
        Assert.True(memory.IsRepeated(Message(3, redelivered: true)));
        Assert.False(memory.IsRepeated(Message(4, redelivered: true)));
        Assert.False(memory.IsRepeated(Message(2, redelivered: false)));
    }

    [Fact]
    public void What_the_source_has_heard_to_be_acknowledged_comes_back_only_if_it_was_killed()
    {
        foreach (var forgets in new[] { false, true })
        {
            var memory = new Recollection(new LinkMemory(0, 0, [], -1));
            memory.Take([1, 2, 3]);
            memory.Acknowledge();
            memory.Confirm(3);
            memory.Begin(forgets);
            Assert.Equal(forgets, memory.IsRepeated(Message(2, redelivered: true)));
        }
    }

    [Fact]
    public void Messages_that_are_alike_are_told_apart_by_those_between_them_or_taken_to_be_new()
    {
        var memory = new Recollection(new LinkMemory(6, 0, [7, 1, 7, 7, 2, 7], -1));
        memory.Begin(hasForgotten: false);
        Assert.True(memory.IsRepeated(Message(1, redelivered: true)));
        foreach (var expected in new ulong[] { 7, 7, 2, 7 }) Assert.True(memory.IsRepeated(Message(expected, redelivered: true)));
        Assert.False(memory.IsRepeated(Message(7, redelivered: true)));

        var alike = new Recollection(new LinkMemory(3, 0, [7, 7, 7], -1));
        alike.Begin(hasForgotten: false);
        Assert.False(alike.IsRepeated(Message(7, redelivered: true)));
        Assert.Equal(1, alike.Uncertain);
    }

    [Fact]
    public void Alike_or_not_what_was_never_acknowledged_comes_back_for_sure()
    {
        var memory = new Recollection(new LinkMemory(0, 0, [], -1));
        memory.Take([7, 7]);
        memory.Acknowledge();
        memory.Take([7, 7, 7]);
        memory.Begin(hasForgotten: false);
        Assert.Equal(3, Enumerable.Range(0, 5).Count(_ => memory.IsRepeated(Message(7, redelivered: true))));
    }

    /// <summary>A queue elsewhere, a link that takes from it, and interruptions of both at any moment.</summary>
    [Fact]
    public void Messages_that_differ_are_taken_once_whatever_happens() => Gen.Select(Gen.Int[1, 300], Gen.Int[1, 40], Gen.UInt).Sample((count, prefetch, seed) =>
    {
        var random = new Random((int)seed);
        var queue = new LinkedList<(ulong Fingerprint, bool Delivered)>(Enumerable.Range(1, count).Select(i => ((ulong)i, false)));
        var taken = new List<ulong>();
        var onDisk = new LinkMemory(0, 0, [], -1);
        var memory = new Recollection(onDisk);
        var journal = new List<ulong>();
        var confirmed = 0L;
        var forgets = false;
        for (var connections = 0; queue.Count > 0; connections++)
        {
            memory.Begin(forgets);
            var acknowledged = new List<(ulong, bool)>();
            for (var batches = random.Next(0, 6); (batches > 0 || connections > 50) && queue.Count > 0; batches--)
            {
                var batch = queue.Take(random.Next(1, prefetch + 1)).ToList();
                var fresh = batch.FindAll(m => !memory.IsRepeated(Message(m.Fingerprint, m.Delivered || forgets)));
                // It is delivered now, and if the connection breaks it says so.
                for (var (node, n) = (queue.First, batch.Count); n > 0; node = node!.Next, n--) node!.Value = node.Value with { Delivered = true };
                if (random.Next(8) == 0 && connections <= 50) break;
                taken.AddRange(fresh.Select(m => m.Fingerprint));
                journal.AddRange(fresh.Select(m => m.Fingerprint));
                memory.Take(fresh.Select(m => m.Fingerprint));
                confirmed = memory.Confirmed;
                if (random.Next(8) == 0 && connections <= 50) break;
                if (fresh.Count > 0) memory.Acknowledge();
                if (random.Next(8) == 0 && connections <= 50) break;
                for (var n = batch.Count; n > 0; n--)
                {
                    acknowledged.Add(queue.First!.Value);
                    queue.RemoveFirst();
                }
                if (fresh.Count == 0 || random.Next(3) == 0) continue;
                memory.Confirm(memory.Taken);
                forgets = false;
            }
            // A broker that is killed may forget the last acknowledgements.
            if (random.Next(3) == 0)
            {
                forgets = true;
                foreach (var message in acknowledged.AsEnumerable().Reverse().Take(random.Next(acknowledged.Count + 1))) queue.AddFirst(message);
            }
            // So may this one be killed, and then knows what is on disk.
            if (random.Next(3) == 0) memory = new Recollection(new LinkMemory(journal.Count, confirmed, journal.TakeLast(LinkMemoryWindow).ToList(), -1));
        }
        Assert.Equal(Enumerable.Range(1, count).Select(i => (ulong)i), taken);
    }, iter: 300);

    private const int LinkMemoryWindow = Recollection.MaxWindow;
}
