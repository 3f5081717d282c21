namespace Dragoman.Architecture.Tests;

/// <summary>Front ends turn bytes into nouns: they know neither each other nor what lies under the handles.</summary>
public sealed class FrontEndTests
{
    private const string FrontEnd = "Dragoman.Protocols.IFrontEnd";
    private const string HttpFrontEnd = "Dragoman.Protocols.IHttpFrontEnd";

    /// <summary>The management API shows what is inside; it is no protocol that clients depend on.</summary>
    private const string Management = "Dragoman.Admin";

    /// <summary>What a log is made of. Whoever holds one of these depends on its being local.</summary>
    private static readonly string[] Inside =
    [
        "Dragoman.Storage.Store", "Dragoman.Storage.StoreOpener", "Dragoman.Storage.Journal.Commit", "Dragoman.Storage.Log.PartitionLog",
        "Dragoman.Storage.State.StateLog", "Dragoman.Storage.State.IStateMachine", "Dragoman.Storage.Platform.IFileSystem",
    ];

    public static TheoryData<string> FrontEnds =>
        [.. ReferenceTests.Assemblies.Select(row => row.Data).Where(p => BuiltAssembly.Load(p).ImplementedInterfaces.Overlaps([FrontEnd, HttpFrontEnd]))];

    [Fact]
    public void The_front_ends_are_found()
    {
        var found = FrontEnds.Select(row => row.Data).ToList();
        Assert.Contains("Dragoman.Kafka", found);
        Assert.Contains(Management, found);
    }

    [Theory]
    [MemberData(nameof(FrontEnds))]
    public void No_front_end_references_another(string project)
    {
        var others = FrontEnds.Select(row => row.Data).Where(other => other != project);
        Assert.Empty(BuiltAssembly.Load(project).References.Intersect(others));
        Assert.DoesNotContain(others, ReferenceTable.Rows[project].Allows);
    }

    [Theory]
    [MemberData(nameof(FrontEnds))]
    public void A_front_end_holds_handles_and_never_a_log(string project)
    {
        if (project == Management) return;
        Assert.Empty(BuiltAssembly.Load(project).Types.Intersect(Inside));
    }

    [Fact]
    public void What_a_front_end_must_not_hold_is_there_by_those_names()
    {
        var known = typeof(Storage.Store).Assembly.GetTypes().Select(type => type.FullName);
        Assert.Empty(Inside.Except(known));
    }
}
