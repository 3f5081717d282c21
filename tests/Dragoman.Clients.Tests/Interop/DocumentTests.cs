using System.Text.RegularExpressions;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Interop;

public sealed partial class DocumentTests
{
    [Theory]
    [InlineData("src/Dragoman.Broker/Messages/CanonicalHeaders.cs")]
    [InlineData("src/Dragoman.Broker/Messages/HeaderTypes.cs")]
    [InlineData("src/Dragoman.Amqp/Messages/AmqpHeaders.cs")]
    public void Every_header_that_the_broker_gives_a_meaning_is_in_the_document(string source)
    {
        var document = File.ReadAllText(Repository.PathOf("docs", "interop.md"));
        var names = HeaderName().Matches(File.ReadAllText(Repository.PathOf(source))).Select(m => m.Groups[1].Value).ToList();
        Assert.NotEmpty(names);
        Assert.All(names, name => Assert.True(document.Contains($"`{name}`", StringComparison.Ordinal) || document.Contains($"`header {name}", StringComparison.Ordinal), $"docs/interop.md does not know '{name}'."));
    }

    [GeneratedRegex("ReadOnlySpan<byte> \\w+ => \"([^\"]+)\"u8;")]
    private static partial Regex HeaderName();
}
