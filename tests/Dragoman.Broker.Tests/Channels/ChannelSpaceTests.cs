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

        public void OnMessage(ChannelSubscription subscription, in ChannelMessage message) =>
            Heard.Add($"{Encoding.ASCII.GetString(message.Pattern)}:{Encoding.ASCII.GetString(message.Channel)}:{Encoding.ASCII.GetString(message.Payload)}");
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
}
