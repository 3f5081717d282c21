using Dragoman.Aws.Sns.Delivery;

namespace Dragoman.Aws.Tests.Sns;

/// <summary>How long deliveries that failed wait, phase by phase.</summary>
public sealed class DeliveryPolicyTests
{
    private static int[] Delays(string policy)
    {
        var read = DeliveryPolicy.Read(null, policy);
        return [.. Enumerable.Range(1, read.Retries).Select(i => (int)read.DelayAfter(i)!.Value.TotalSeconds)];
    }

    [Fact]
    public void Nothing_said_is_three_retries_after_twenty_seconds_each()
    {
        Assert.Equal([20, 20, 20], Delays("{}"));
        Assert.Null(new DeliveryPolicy().DelayAfter(4));
    }

    [Theory]
    [InlineData("linear", new[] { 0, 5, 5, 15, 25, 35, 35 })]
    [InlineData("geometric", new[] { 0, 5, 5, 10, 20, 35, 35 })]
    public void Each_phase_has_its_waits(string function, int[] delays) => Assert.Equal(
        delays,
        Delays($$$"""{"healthyRetryPolicy":{"minDelayTarget":5,"maxDelayTarget":35,"numRetries":7,"numNoDelayRetries":1,"numMinDelayRetries":1,"numMaxDelayRetries":1,"backoffFunction":"{{{function}}}"}}"""));

    [Theory]
    [InlineData("arithmetic")]
    [InlineData("exponential")]
    [InlineData("geometric")]
    [InlineData("linear")]
    public void Waits_grow_from_the_least_and_stay_below_the_longest(string function)
    {
        var delays = Delays($$$"""{"healthyRetryPolicy":{"minDelayTarget":1,"maxDelayTarget":60,"numRetries":20,"backoffFunction":"{{{function}}}"}}""");
        Assert.Equal(delays.Order(), delays);
        Assert.Equal(1, delays[0]);
        Assert.All(delays, static d => Assert.InRange(d, 1, 60));
    }

    [Fact]
    public void A_topic_may_have_its_policy_prevail()
    {
        const string Own = """{"healthyRetryPolicy":{"numRetries":9}}""";
        Assert.Equal(9, DeliveryPolicy.Read("""{"http":{"defaultHealthyRetryPolicy":{"numRetries":5}}}""", Own).Retries);
        Assert.Equal(5, DeliveryPolicy.Read("""{"http":{"defaultHealthyRetryPolicy":{"numRetries":5},"disableSubscriptionOverrides":true}}""", Own).Retries);
        Assert.NotNull(DeliveryPolicy.Check("""{"healthyRetryPolicy":{"minDelayTarget":30}}"""));
        Assert.Null(DeliveryPolicy.Check("""{"healthyRetryPolicy":{"minDelayTarget":5,"maxDelayTarget":5,"numRetries":1}}"""));
    }
}
