using Dragoman.Broker.Security;

namespace Dragoman.Broker.Tests.Security;

public sealed class NamePatternTests
{
    [Theory]
    [InlineData(PatternKind.Literal, "orders", "orders", true)]
    [InlineData(PatternKind.Literal, "orders", "orders2", false)]
    [InlineData(PatternKind.Literal, "*", "anything", true)]
    [InlineData(PatternKind.Prefix, "ord", "orders", true)]
    [InlineData(PatternKind.Prefix, "ord", "nord", false)]
    [InlineData(PatternKind.Prefix, "", "x", true)]
    [InlineData(PatternKind.Regex, "^amq\\.", "amq.direct", true)]
    [InlineData(PatternKind.Regex, "rde", "orders", true)]
    [InlineData(PatternKind.Regex, "", "orders", false)]
    [InlineData(PatternKind.Regex, ".*", "orders", true)]
    [InlineData(PatternKind.Glob, "news.*", "news.art", true)]
    [InlineData(PatternKind.Glob, "h?llo", "hello", true)]
    [InlineData(PatternKind.Glob, "h[ae]llo", "hallo", true)]
    [InlineData(PatternKind.Glob, "h[^e]llo", "hello", false)]
    [InlineData(PatternKind.Glob, "h[a-c]llo", "hbllo", true)]
    [InlineData(PatternKind.Glob, "h[c-a]llo", "hbllo", true)]
    [InlineData(PatternKind.Glob, "\\*", "*", true)]
    [InlineData(PatternKind.Glob, "\\*", "x", false)]
    [InlineData(PatternKind.Glob, "*a*b*c", "xxaxxbxxc", true)]
    [InlineData(PatternKind.Glob, "*a*b*c", "xxaxxbxx", false)]
    [InlineData(PatternKind.Glob, "[abc", "c", true)]
    [InlineData(PatternKind.Glob, "**", "", true)]
    public void Patterns_mean_what_their_protocols_say(PatternKind kind, string pattern, string name, bool expected) =>
        Assert.Equal(expected, new NamePattern(kind, pattern).Matches(name));

    [Fact]
    public void A_hostile_glob_takes_no_time() =>
        Assert.False(GlobMatcher.Matches(string.Concat(Enumerable.Repeat("*a", 500)) + "b", new string('a', 20_000)));

    [Fact]
    public void What_is_no_expression_is_refused() => Assert.ThrowsAny<ArgumentException>(() => new NamePattern(PatternKind.Regex, "("));

    [Fact]
    public void An_expression_that_looks_ahead_is_taken_and_matches_nothing_once_it_takes_long()
    {
        var pattern = new NamePattern(PatternKind.Regex, "^(?!amq\\.)");
        Assert.True(pattern.Matches("orders"));
        Assert.False(pattern.Matches("amq.direct"));
        Assert.False(new NamePattern(PatternKind.Regex, "^(?!x)(a+)+$").Matches(new string('a', 60) + "b"));
    }
}
