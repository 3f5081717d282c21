using Xunit.v3;

namespace Dragoman.Clients.Tests.Reporting;

/// <summary>
/// Says which of the rows in docs/claims a test proves. Each becomes a trait, as <c>[Trait("Row", "K9")]</c> would make
/// it.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method, AllowMultiple = true)]
internal sealed class RowsAttribute(params string[] rows) : Attribute, ITraitAttribute
{
    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [.. rows.Select(row => KeyValuePair.Create("Row", row))];
}
