using Dragoman.Broker.Groups.Consumer;

namespace Dragoman.Broker.Tests.Groups.Consumer;

public sealed class TopicPatternTests
{
    [Theory]
    [InlineData("orders", "orders", true)]
    [InlineData("orders", "orders2", false)]
    [InlineData("order.*", "orders", true)]
    [InlineData("^order.*$", "orders", true)]
    [InlineData("a|b.*", "bc", true)]
    [InlineData("a|b.*", "ac", false)]
    [InlineData("(?P<name>x+)y", "xxy", true)]
    [InlineData(@"\Qa.b\E.*", "a.bc", true)]
    [InlineData(@"\Qa.b\E.*", "axbc", false)]
    [InlineData("[[:alpha:]]+-[[:digit:]]{2}", "ab-12", true)]
    [InlineData("[[:alpha:]]+-[[:digit:]]{2}", "ab-1", false)]
    [InlineData("[^[:alpha:]]+", "12", true)]
    [InlineData("[]a]+", "a]", true)]
    [InlineData("[a[]+", "[a", true)]
    [InlineData(@"[a\]]+", "a]", true)]
    [InlineData("(?i)ORDERS", "orders", true)]
    [InlineData("a{1000}", "a", false)]
    public void A_pattern_matches_the_whole_name_in_RE2s_syntax(string pattern, string name, bool matches)
    {
        Assert.True(TopicPattern.TryCompile(pattern, out var compiled, out var why), why);
        Assert.Equal(matches, compiled.IsMatch(name));
    }

    [Theory]
    [InlineData("a(b")]
    [InlineData("*a")]
    [InlineData(@"(a)\1")]
    [InlineData("a(?=b)")]
    [InlineData("((a{1000}){1000}){1000}")]
    [InlineData("(a{500}b{500}){100}")]
    public void What_RE2_does_not_have_and_what_would_take_too_much_memory_is_refused(string pattern) =>
        Assert.False(TopicPattern.TryCompile(pattern, out _, out _));

    [Fact]
    public void A_pattern_that_makes_others_backtrack_is_matched_in_no_time()
    {
        Assert.True(TopicPattern.TryCompile("(a+)+b", out var compiled, out _));
        Assert.DoesNotMatch(compiled, new string('a', 50_000));
    }
}
