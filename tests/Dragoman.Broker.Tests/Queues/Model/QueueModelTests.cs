using CsCheck;

namespace Dragoman.Broker.Tests.Queues.Model;

/// <summary>Random stories of a queue, held against a simple model of what a queue is.</summary>
public sealed class QueueModelTests
{
    [Fact]
    public void A_queue_does_what_the_model_says() => Story.Any.Sample(story => new StoryRun(story).Run(), iter: Stories.Count);
}
