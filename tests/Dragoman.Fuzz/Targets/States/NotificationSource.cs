using Dragoman.Broker.Notifications;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing.Filters;

namespace Dragoman.Fuzz.Targets.States;

internal sealed class NotificationSource : StateSource<NotificationState>
{
    protected override byte[] Event(NotificationState state, Random random)
    {
        switch (random.Next(8))
        {
            case 0 when Some.Present(state.Topics.Keys, random) is { } topic:
                return NotificationState.Remove(topic).ToArray();
            case 1 when Some.Present(state.Subscriptions.Values, random) is { } subscription:
                return NotificationState.Remove(subscription.Id).ToArray();
            case 2 when Some.Present(state.Settings.Keys, random) is { } setting:
                return NotificationState.RemoveSetting(setting).ToArray();
            case 3:
                return NotificationState.Put(Some.Text(random), Some.Bytes(random)).ToArray();
            case 4 or 5:
                return NotificationState.Publish(Some.Topic(random), Some.Text(random), new PublishedOnce(Some.Id(random), random.Next(100), random.Next(1_000_000))).ToArray();
            case 6:
                return NotificationState.Put(new NotificationTopic
                {
                    Name = Some.Topic(random),
                    CreatedAtMs = Some.Number(random),
                    IsOrdered = random.Next(2) == 0,
                    Attributes = TopicSource.Attributes(random),
                    Tags = TopicSource.Attributes(random),
                }).ToArray();
            default:
                return NotificationState.Put(new NotificationSubscription
                {
                    Id = Some.Id(random),
                    Topic = Some.Topic(random),
                    Protocol = Some.Text(random),
                    Endpoint = Some.Text(random),
                    CreatedAtMs = Some.Number(random),
                    IsConfirmed = random.Next(2) == 0,
                    Token = Some.Text(random),
                    Target = random.Next(2) == 0 ? null : new QueueName(Some.Namespace(random), Some.Text(random)),
                    DeadLetters = random.Next(2) == 0 ? null : new QueueName(Some.Namespace(random), Some.Text(random)),
                    FilterPolicy = Some.OptionalText(random),
                    FilterScope = (FilterScope)random.Next(2),
                    Attributes = TopicSource.Attributes(random),
                    StartsIn = Some.Id(random),
                    StartOffsets = Some.Several(random, Some.Number),
                }).ToArray();
        }
    }
}
