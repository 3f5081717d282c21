using System.Text;
using CsCheck;
using Dragoman.Broker.Channels;
using Dragoman.Broker.Security;

namespace Dragoman.Broker.Tests.Channels;

/// <summary>Patterns of channels.</summary>
public sealed class GlobTests
{
    [Theory]
    [InlineData("*", "", true)]
    [InlineData("h?llo", "hello", true)]
    [InlineData("h?llo", "hllo", false)]
    [InlineData("h*llo", "heeeello", true)]
    [InlineData("h[ae]llo", "hello", true)]
    [InlineData("h[^e]llo", "hello", false)]
    [InlineData("h[a-b]llo", "hbllo", true)]
    [InlineData("h\\*llo", "h*llo", true)]
    [InlineData("h\\*llo", "hxllo", false)]
    [InlineData("news.*", "news.", true)]
    [InlineData("news.*", "new", false)]
    [Trait("Row", "D7")]
    public void Patterns_match_as_in_Redis(string pattern, string name, bool matches) =>
        Assert.Equal(matches, new Glob(Encoding.ASCII.GetBytes(pattern)).Matches(Encoding.ASCII.GetBytes(name)));

    [Fact]
    [Trait("Row", "D7")]
    public void Bytes_and_text_are_matched_alike() =>
        Gen.Select(Gen.String[Gen.Char["ab*?[]^-\\"], 0, 8], Gen.String[Gen.Char["ab-"], 0, 8]).Sample((pattern, name) =>
            new Glob(Encoding.ASCII.GetBytes(pattern)).Matches(Encoding.ASCII.GetBytes(name)) == GlobMatcher.Matches(pattern, name));
}
