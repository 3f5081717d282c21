using System.Text;
using CsCheck;
using Dragoman.Broker.Channels;

namespace Dragoman.Broker.Tests.Channels;

/// <summary>Who listens to what, against a model.</summary>
public sealed class ChannelSpaceTests
{
    private static readonly string[] Names = ["a", "ab", "b", "a*", "*", "?"];

    private sealed class Listener : IChannelListener
    {
        public List<string> Heard { get; } = [];

        public void OnMessages(ChannelSubscription subscription, in ChannelMessages messages)
        {
            for (var i = 0; i < messages.Count; i++)
            {
                var message = messages[i];
                Heard.Add($"{Encoding.ASCII.GetString(message.Pattern)}:{Encoding.ASCII.GetString(message.Channel)}:{Encoding.ASCII.GetString(message.Payload)}");
            }
        }
    }

    [Fact]
    public void A_message_is_heard_once_for_each_subscription_that_is_there() =>
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, Names.Length - 1], Gen.Bool).List[1, 60].Sample(steps =>
        {
            var space = new ChannelSpace();
            var model = new List<(ChannelSubscription Subscription, Listener Listener, string Name, bool IsPattern)>();
            foreach (var (step, index, isPattern) in steps)
            {
                var name = Encoding.ASCII.GetBytes(Names[index]);
                if (step < 2)
                {
                    var listener = new Listener();
                    model.Add((isPattern ? space.SubscribePattern(name, listener) : space.Subscribe(name, listener), listener, Names[index], isPattern));
                }
                else if (step == 2 && model.Count > 0)
                {
                    var gone = model[index % model.Count];
                    model.RemoveAt(index % model.Count);
                    space.Unsubscribe(gone.Subscription);
                    space.Unsubscribe(gone.Subscription);
                    Assert.True(gone.Subscription.IsEnded);
                }
                foreach (var (_, listener, _, _) in model) listener.Heard.Clear();
                var expected = model.Where(m => m.IsPattern ? new Glob(Encoding.ASCII.GetBytes(m.Name)).Matches(name) : m.Name == Names[index]).ToList();
                Assert.Equal(expected.Count, space.Publish(name, "x"u8));
                Assert.Equal(expected.Count, space.CountAll(name));
                foreach (var m in model)
                    Assert.Equal(expected.Contains(m) ? [$"{(m.IsPattern ? m.Name : "")}:{Names[index]}:x"] : [], m.Listener.Heard);
                Assert.Equal(model.Where(m => m.IsPattern).Select(m => m.Name).Distinct().Count(), space.PatternCount);
                Assert.Equal(model.Where(m => !m.IsPattern).Select(m => m.Name).Distinct().Count(), space.Channels().Count);
                Assert.Equal(model.Count == 0, space.IsEmpty);
            }
        });

    [Fact]
    public void What_is_published_in_a_row_is_heard_as_if_it_were_published_one_by_one() =>
        Gen.Select(Gen.Int[0, 5], Gen.Int[0, Names.Length - 1], Gen.Int[0, 5000]).List[1, 100].Sample(steps =>
        {
            var (inARow, oneByOne) = (new ChannelSpace(), new ChannelSpace());
            using var run = new ChannelRun();
            var (heardInARow, heardOneByOne) = (new List<Listener>(), new List<Listener>());
            foreach (var (step, index, size) in steps)
            {
                var name = Encoding.ASCII.GetBytes(Names[index]);
                if (step == 0)
                {
                    // One that begins to listen must not hear what was published before.
                    foreach (var (space, heard) in new[] { (inARow, heardInARow), (oneByOne, heardOneByOne) })
                    {
                        heard.Add(new Listener());
                        if (size % 3 == 0) space.SubscribePattern(name, heard[^1]);
                        else space.Subscribe(name, heard[^1]);
                    }
                }
                else
                {
                    var payload = Encoding.ASCII.GetBytes(new string((char)('a' + size % 26), size));
                    Assert.Equal(oneByOne.Publish(name, payload), inARow.Publish(name, payload, run));
                }
            }
            run.End();
            Assert.Equal(heardOneByOne.Select(l => l.Heard), heardInARow.Select(l => l.Heard));
        });
}
