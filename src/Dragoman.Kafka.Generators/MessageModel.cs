using Microsoft.CodeAnalysis;

namespace Dragoman.Kafka.Generators;

internal enum WireKind
{
    Number,
    String,
    Bytes,
    Records,
    Struct,
    List,
}

/// <summary>
/// The wire type of a field. <paramref name="CSharp"/> is the type's name in generated code; for a number,
/// <paramref name="Method"/> is the reader's and writer's method suffix, <paramref name="Size"/> its bytes, and
/// <paramref name="Underlying"/> the type to cast an enum to.
/// </summary>
internal sealed record WireType(
    WireKind Kind,
    string CSharp,
    string Method = "",
    int Size = 0,
    string? Underlying = null,
    WireType? Element = null,
    StructModel? Struct = null);

internal sealed record FieldModel(
    string Name, WireType Type, VersionRange Versions, VersionRange Nullable, bool IsNullableInCode, int Tag)
{
    public bool IsTagged => Tag >= 0;
}

internal sealed record StructModel(string Name, List<FieldModel> Fields, List<StructModel> Nested);

internal sealed record MessageModel(
    string Namespace,
    string ApiKey,
    bool IsRequest,
    VersionRange Versions,
    short FlexibleFrom,
    short AdvertisedFrom,
    StructModel Body);

/// <summary>What the registry needs of a message. Equatable, so that an edit elsewhere regenerates nothing.</summary>
internal sealed record ApiEntry(
    string Name, int Key, string KeyName, bool IsRequest, VersionRange Versions, short FlexibleFrom, short AdvertisedFrom,
    SourceSpot Spot);

/// <summary>A place in the source, without the syntax tree that a <see cref="Location"/> would keep alive.</summary>
internal sealed record SourceSpot(
    string Path, Microsoft.CodeAnalysis.Text.TextSpan Span, Microsoft.CodeAnalysis.Text.LinePositionSpan Lines)
{
    public static SourceSpot From(Location location)
    {
        FileLinePositionSpan lines = location.GetLineSpan();
        return new SourceSpot(lines.Path, location.SourceSpan, lines.Span);
    }

    public Location ToLocation() => Location.Create(Path, Span, Lines);
}

/// <summary>An error in a declaration.</summary>
internal sealed record Problem(DiagnosticDescriptor Descriptor, SourceSpot Spot, string First, string Second)
{
    public Diagnostic ToDiagnostic() => Diagnostic.Create(Descriptor, Spot.ToLocation(), First, Second);
}

/// <summary>A list with value equality.</summary>
internal sealed class ValueList<T>(IReadOnlyList<T> items) : System.IEquatable<ValueList<T>>
{
    public IReadOnlyList<T> Items { get; } = items;

    public bool Equals(ValueList<T>? other)
    {
        if (other is null || other.Items.Count != Items.Count)
            return false;
        for (int i = 0; i < Items.Count; i++)
        {
            if (!EqualityComparer<T>.Default.Equals(Items[i], other.Items[i]))
                return false;
        }

        return true;
    }

    public override bool Equals(object? obj) => Equals(obj as ValueList<T>);

    public override int GetHashCode() => Items.Count;
}

/// <summary>The outcome for one declaration: source text, or what is wrong with it.</summary>
internal sealed record Outcome(string Hint, string? Source, ApiEntry? Entry, ValueList<Problem> Problems);
