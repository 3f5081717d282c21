using System.Xml.Linq;

namespace Dragoman.Architecture.Tests;

/// <summary>Holds the table of layers against what was built.</summary>
public sealed class ReferenceTests
{
    public static TheoryData<string> Projects => [.. Repository.Projects];

    /// <summary>Projects that are built into assemblies which run; generators run inside the compiler.</summary>
    public static TheoryData<string> Assemblies => [.. Repository.Projects.Where(p => !p.EndsWith(".Generators", StringComparison.Ordinal))];

    [Fact]
    public void The_table_has_a_row_for_each_project_and_no_other()
    {
        Assert.Equal(Repository.Projects, ReferenceTable.Rows.Keys.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Assemblies))]
    public void An_assembly_uses_what_its_row_allows(string project)
    {
        var used = BuiltAssembly.Load(project).References;
        Assert.Empty(used.Where(other => !ReferenceTable.Rows[project].Allows(other)).Select(other => $"{project} uses {other}"));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_file_names_what_its_row_allows(string project)
    {
        var named = XDocument.Load(Repository.ProjectFile(project)).Descendants("ProjectReference")
            .Where(reference => (string?)reference.Attribute("OutputItemType") != "Analyzer")
            .Select(reference => Path.GetFileNameWithoutExtension((string)reference.Attribute("Include")!.Value.Replace('\\', '/')));
        Assert.Empty(named.Where(other => !ReferenceTable.Rows[project].Allows(other)).Select(other => $"{project} references {other}"));
    }

    [Fact]
    public void Storage_knows_nothing_of_ours_and_the_broker_only_storage()
    {
        // The document could be changed to allow anything; these two rows it must not change.
        Assert.Empty(BuiltAssembly.Load("Dragoman.Storage").References);
        Assert.Equal(["Dragoman.Storage"], BuiltAssembly.Load("Dragoman.Broker").References);
    }

    [Fact]
    public void A_table_that_allows_less_than_is_used_is_noticed()
    {
        var rows = ReferenceTable.Read(["| Project | Holds | May reference |", "|---|---|---|", "| `src/Dragoman.Broker`, `src/Dragoman.Other` | nouns | Protocols (frames), Kafka |", "", "| not | the | table |"]);
        Assert.Equal(["Dragoman.Broker", "Dragoman.Other"], rows.Keys.Order(StringComparer.Ordinal));
        Assert.All(rows.Values, row => Assert.Equal(["Dragoman.Kafka", "Dragoman.Protocols"], row.Allowed!.Order(StringComparer.Ordinal)));
        Assert.DoesNotContain(BuiltAssembly.Load("Dragoman.Broker").References, rows["Dragoman.Broker"].Allows);
    }
}
