using Dragoman.Kafka.Generators;
using Dragoman.Kafka.Wire;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace Dragoman.Kafka.Tests.Wire;

/// <summary>A declaration that makes no sense is an error of the compiler, at the place where it stands.</summary>
public sealed class DeclarationErrorTests
{
    private const string Response = """
        [KafkaResponse(ApiKey.Heartbeat, "0-4", FlexibleFrom = 4)]
        public sealed partial class Answer;
        """;

    [Fact]
    public void A_sound_declaration_compiles_with_its_codec()
    {
        GeneratorDriverRunResult result = Run(
            """
            public enum Color : ushort { Red }
            [KafkaRequest(ApiKey.Heartbeat, "0-4", FlexibleFrom = 4)]
            public sealed partial class Ask
            {
                [Field("0+")] public bool A { get; set; }
                [Field("0+")] public sbyte B { get; set; }
                [Field("0+")] public ushort C { get; set; }
                [Field("0-2")] public uint D { get; set; }
                [Field("1-2")] public ulong E { get; set; } = 5;
                [Field("3")] public double F { get; set; }
                [Field("0+")] public Guid G { get; set; }
                [Field("0+")] public Color H { get; set; }
                [Field("0+", Nullable = "2+")] public byte[]? I { get; set; }
                [Field("0+", Nullable = "0+")] public Records J { get; set; }
                [Field("1+", Nullable = "2+")] public Inner? K { get; set; } = new();
                [Field("0+")] public Inner L { get; set; } = new();
                [Field("0+", Nullable = "1+")] public List<string>? M { get; set; }
                [Field("0+")] public List<Inner> N { get; set; } = [];
                [Field("4+", Tag = 0)] public Inner? O { get; set; }
                [Field("4+", Tag = 1)] public List<Guid> P { get; set; } = [];
                [Field("4+", Tag = 2)] public double Q { get; set; } = 1;
                public int NotAField => 1;
                public sealed partial class Inner
                {
                    [Field("0+")] public int A { get; set; }
                    [Field("4+", Tag = 0)] public string B { get; set; } = "x";
                }
            }
            """ + Response,
            out Compilation compilation);
        Assert.Empty(result.Diagnostics);
        Assert.Equal(3, result.GeneratedTrees.Length);
        Assert.Empty(compilation.GetDiagnostics().Where(d => d.Severity >= DiagnosticSeverity.Warning).Select(d => d.ToString()));
    }

    [Theory]
    [InlineData("DRK001", """[KafkaRequest(ApiKey.Heartbeat, "0-4", FlexibleFrom = 4)] public partial class Ask;""")]
    [InlineData("DRK001", """[KafkaRequest(ApiKey.Heartbeat, "0-4", FlexibleFrom = 4)] public sealed class Ask;""")]
    [InlineData("DRK002", """[KafkaRequest(ApiKey.Heartbeat, "0+", FlexibleFrom = 4)] public sealed partial class Ask;""")]
    [InlineData("DRK002", """[KafkaRequest(ApiKey.Heartbeat, "4-0", FlexibleFrom = 4)] public sealed partial class Ask;""")]
    [InlineData("DRK002", "[Field(\"x\")] public int A { get; set; }")]
    [InlineData("DRK002", "[Field(\"5+\")] public int A { get; set; }")]
    [InlineData("DRK002", "[Field(\"0+\", Nullable = \"9+\")] public string? A { get; set; }")]
    [InlineData("DRK003", "[Field(\"0+\")] public decimal A { get; set; }")]
    [InlineData("DRK003", "[Field(\"0+\")] public int? A { get; set; }")]
    [InlineData("DRK003", "[Field(\"0+\")] public List<List<int>> A { get; set; } = [];")]
    [InlineData("DRK003", "[Field(\"0+\")] public List<string?> A { get; set; } = [];")]
    [InlineData("DRK003", "[Field(\"0+\")] public In A { get; set; } = new(); public sealed partial class In { [Field(\"0+\")] public List<In> B { get; set; } = []; }")]
    [InlineData("DRK001", "[Field(\"0+\")] public In A { get; set; } = new(); public sealed class In { [Field(\"0+\")] public int B { get; set; } }")]
    [InlineData("DRK001", "[Field(\"0+\")] public int A { get; }")]
    [InlineData("DRK004", "[Field(\"0+\")] public string? A { get; set; }")]
    [InlineData("DRK004", "[Field(\"0+\", Nullable = \"0+\")] public string A { get; set; } = \"\";")]
    [InlineData("DRK004", "[Field(\"0+\", Nullable = \"0+\")] public int A { get; set; }")]
    [InlineData("DRK004", "[Field(\"4+\", Tag = 0)] public In A { get; set; } = new(); public sealed partial class In;")]
    [InlineData("DRK005", "public int A { get; set; }")]
    [InlineData("DRK006", "[Field(\"0+\", Tag = 0)] public int A { get; set; }")]
    [InlineData("DRK006", "[Field(\"4+\", Tag = 0)] public int A { get; set; } [Field(\"4+\", Tag = 0)] public int B { get; set; }")]
    [InlineData("DRK006", "[Field(\"4+\", Tag = 1)] public int A { get; set; } [Field(\"4+\", Tag = 0)] public int B { get; set; }")]
    [InlineData("DRK006", "[Field(\"4+\", Tag = 0, Nullable = \"4+\")] public Records A { get; set; }")]
    [InlineData("DRK007", """[KafkaRequest(ApiKey.Heartbeat, "0-5", FlexibleFrom = 4)] public sealed partial class Ask;""")]
    [InlineData("DRK007", """[KafkaRequest(ApiKey.Heartbeat, "0-4", FlexibleFrom = 3)] public sealed partial class Ask;""")]
    [InlineData("DRK007", """[KafkaRequest(ApiKey.Fetch, "0-4", FlexibleFrom = 4)] public sealed partial class Ask;""")]
    public void A_declaration_that_makes_no_sense_is_an_error(string id, string declaration)
    {
        string source = declaration.StartsWith("[Kafka", StringComparison.Ordinal)
            ? declaration
            : $$"""[KafkaRequest(ApiKey.Heartbeat, "0-4", FlexibleFrom = 4)] public sealed partial class Ask { {{declaration}} }""";
        GeneratorDriverRunResult result = Run(source + Environment.NewLine + Response, out _);
        Assert.Contains(id, result.Diagnostics.Select(d => d.Id));
        Assert.All(result.Diagnostics, d =>
        {
            Assert.Equal(DiagnosticSeverity.Error, d.Severity);
            Assert.Equal("declarations.cs", d.Location.GetLineSpan().Path);
        });
    }

    [Fact]
    public void An_edit_elsewhere_generates_nothing_anew()
    {
        const string Ask = """[KafkaRequest(ApiKey.Heartbeat, "0-4", FlexibleFrom = 4)] public sealed partial class Ask;""";
        CSharpCompilation compilation = Compile(Ask + Response);
        GeneratorDriver driver = Driver().RunGenerators(compilation);
        driver = driver.RunGenerators(compilation.AddSyntaxTrees(CSharpSyntaxTree.ParseText("class Elsewhere;")));
        var reasons = driver.GetRunResult().Results[0].TrackedOutputSteps
            .SelectMany(step => step.Value).SelectMany(step => step.Outputs).Select(output => output.Reason).ToList();
        Assert.NotEmpty(reasons);
        Assert.All(reasons, reason => Assert.Equal(IncrementalStepRunReason.Cached, reason));
    }

    private static GeneratorDriverRunResult Run(string source, out Compilation after)
    {
        GeneratorDriver driver = Driver().RunGeneratorsAndUpdateCompilation(Compile(source), out after, out _);
        return driver.GetRunResult();
    }

    private static CSharpGeneratorDriver Driver() => CSharpGeneratorDriver.Create(
        [new WireGenerator().AsSourceGenerator()],
        driverOptions: new GeneratorDriverOptions(IncrementalGeneratorOutputKind.None, trackIncrementalGeneratorSteps: true));

    /// <summary>
    /// The assembly under test lends the attributes and the reader. Its own registry is internal where the generated
    /// code needs it, so the compilation brings a stand-in.
    /// </summary>
    private static CSharpCompilation Compile(string source)
    {
        const string Frame = """
            global using System;
            global using System.Collections.Generic;
            global using Dragoman.Kafka.Wire;
            #pragma warning disable CS0436
            namespace Dragoman.Kafka.Wire
            {
                public static partial class KafkaApis
                {
                    internal static void CheckVersion(ApiKey key, short version, short min, short max) { }
                }
            }
            """;
        string[] platform = ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator);
        IEnumerable<MetadataReference> references = platform
            .Where(path => Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal))
            .Append(typeof(KafkaApis).Assembly.Location)
            .Select(path => MetadataReference.CreateFromFile(path));
        return CSharpCompilation.Create(
            "declarations",
            [
                CSharpSyntaxTree.ParseText(Frame),
                CSharpSyntaxTree.ParseText("namespace Test;\n" + source, path: "declarations.cs"),
            ],
            references,
            new CSharpCompilationOptions(
                OutputKind.DynamicallyLinkedLibrary,
                nullableContextOptions: NullableContextOptions.Enable,
                specificDiagnosticOptions: [new("CS0436", ReportDiagnostic.Suppress)]));
    }
}
