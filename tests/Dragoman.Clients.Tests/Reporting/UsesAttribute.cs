using System.Reflection;
using Xunit.v3;

namespace Dragoman.Clients.Tests.Reporting;

/// <summary>
/// Says with which client a test, or all tests of a class, drive the broker. The name becomes a trait of the test and
/// the version is attached to its result, from where docs/conformance.md has both. Without the client the test fails.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method, AllowMultiple = true)]
internal sealed class UsesAttribute<TClient> : BeforeAfterTestAttribute, ITraitAttribute
    where TClient : IForeignClient
{
    private static readonly Lazy<string> s_version = new(() => Task.Run(TClient.VersionAsync).GetAwaiter().GetResult());

    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("Client", TClient.Name)];

    public override void Before(MethodInfo methodUnderTest, IXunitTest test) =>
        TestContext.Current.AddAttachment($"version of {TClient.Name}", s_version.Value);
}
