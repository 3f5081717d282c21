using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Dragoman.Kafka.Generators;

/// <summary>Turns an attributed class into a model, and collects everything that is wrong with it.</summary>
internal sealed class DeclarationReader
{
    private const string FieldAttribute = "Dragoman.Kafka.Wire.FieldAttribute";
    private const string RecordsType = "Dragoman.Kafka.Wire.Records";

    private readonly List<Problem> _problems = [];
    private readonly HashSet<INamedTypeSymbol> _open = new(SymbolEqualityComparer.Default);
    private readonly INamedTypeSymbol _message;
    private readonly VersionRange _versions;
    private readonly short _flexibleFrom;

    private DeclarationReader(INamedTypeSymbol message, VersionRange versions, short flexibleFrom)
    {
        _message = message;
        _versions = versions;
        _flexibleFrom = flexibleFrom;
    }

    public static Outcome Read(GeneratorAttributeSyntaxContext context, bool isRequest, CancellationToken cancellation)
    {
        var type = (INamedTypeSymbol)context.TargetSymbol;
        AttributeData attribute = context.Attributes[0];
        string text = attribute.ConstructorArguments[1].Value as string ?? "";
        bool parsed = VersionRange.TryParse(text, out VersionRange versions) && versions.Max != short.MaxValue;
        var reader = new DeclarationReader(
            type, versions, Named(attribute, "FlexibleFrom", short.MaxValue));
        if (!parsed)
            reader.Report(Descriptors.Versions, type, type.Name, text);
        if (type.ContainingType is not null)
            reader.Report(Descriptors.Shape, type, type.Name, ": it may not be nested");

        StructModel? body = parsed ? reader.ReadStruct(type, cancellation) : null;
        if (body is null || reader._problems.Count > 0)
            return new Outcome(type.ToDisplayString(), null, null, new ValueList<Problem>(reader._problems));

        TypedConstant key = attribute.ConstructorArguments[0];
        string keyName = key.ToCSharpString();
        short advertised = Named(attribute, "AdvertisedFrom", (short)-1);
        var model = new MessageModel(
            type.ContainingNamespace.ToDisplayString(),
            keyName,
            isRequest,
            versions,
            reader._flexibleFrom,
            advertised < 0 ? versions.Min : advertised,
            body);
        var entry = new ApiEntry(
            type.Name, (short)key.Value!, keyName, isRequest, versions, model.FlexibleFrom, model.AdvertisedFrom,
            Spot(type));
        return new Outcome(type.ToDisplayString(), CodecEmitter.Emit(model), entry, new ValueList<Problem>([]));
    }

    private StructModel? ReadStruct(INamedTypeSymbol type, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        if (!type.IsSealed || type.TypeKind != TypeKind.Class || type.IsGenericType || !IsPartial(type, cancellation))
        {
            Report(Descriptors.Shape, type, type.Name, "");
            return null;
        }

        var fields = new List<FieldModel>();
        foreach (IPropertySymbol property in type.GetMembers().OfType<IPropertySymbol>())
        {
            if (property.IsStatic || property.IsImplicitlyDeclared)
                continue;
            AttributeData? attribute = property.GetAttributes()
                .FirstOrDefault(a => a.AttributeClass?.ToDisplayString() == FieldAttribute);
            if (attribute is not null)
            {
                if (ReadField(property, attribute, cancellation) is { } field)
                    fields.Add(field);
            }
            else if (property.SetMethod is not null)
            {
                Report(Descriptors.Undeclared, property, property.Name, "");
            }
        }

        CheckTags(type, fields);
        var nested = new List<StructModel>();
        foreach (FieldModel field in fields)
        {
            StructModel? own = field.Type.Struct ?? field.Type.Element?.Struct;
            if (own is not null && nested.TrueForAll(other => other.Name != own.Name))
                nested.Add(own);
        }

        return new StructModel(type.Name, fields, nested);
    }

    private FieldModel? ReadField(IPropertySymbol property, AttributeData attribute, CancellationToken cancellation)
    {
        string versionText = attribute.ConstructorArguments[0].Value as string ?? "";
        if (!VersionRange.TryParse(versionText, out VersionRange versions) || versions.Intersect(_versions).IsEmpty)
        {
            Report(Descriptors.Versions, property, property.Name, versionText);
            return null;
        }

        VersionRange nullable = VersionRange.None;
        string? nullableText = Named<string?>(attribute, "Nullable", null);
        if (nullableText is not null
            && (!VersionRange.TryParse(nullableText, out nullable) || nullable.Intersect(_versions).IsEmpty))
        {
            Report(Descriptors.Versions, property, property.Name, nullableText);
            return null;
        }

        if (property.SetMethod is null || property.GetMethod is null)
        {
            Report(Descriptors.Shape, property, property.Name, ": a field needs a getter and a setter");
            return null;
        }

        WireType? type = ReadType(property.Type, cancellation);
        if (type is null)
        {
            Report(Descriptors.Type, property, property.Name, property.Type.ToDisplayString());
            return null;
        }

        int tag = Named(attribute, "Tag", -1);
        bool nullableInCode = property.NullableAnnotation == NullableAnnotation.Annotated;
        CheckNullability(property, type, nullable, nullableInCode, tag);
        return new FieldModel(property.Name, type, versions.Intersect(_versions), nullable, nullableInCode, tag);
    }

    private void CheckNullability(
        IPropertySymbol property, WireType type, VersionRange nullable, bool nullableInCode, int tag)
    {
        bool absentIsNull = tag >= 0 && type.Kind == WireKind.Struct;
        if (type.Kind == WireKind.Records)
        {
            if (nullableInCode)
                Report(Descriptors.Nullability, property, property.Name, "Records has a null of its own");
        }
        else if (type.Kind == WireKind.Number)
        {
            if (!nullable.IsEmpty)
                Report(Descriptors.Nullability, property, property.Name, "a number cannot be null on the wire");
        }
        else if (absentIsNull)
        {
            if (!nullableInCode || !nullable.IsEmpty)
                Report(Descriptors.Nullability, property, property.Name, "a tagged structure is null when absent: its type must be nullable, and Nullable not given");
        }
        else if (nullableInCode == nullable.IsEmpty)
        {
            Report(Descriptors.Nullability, property, property.Name, nullableInCode
                ? "its type is nullable, but no version allows null"
                : "null is allowed in some version, but its type is not nullable");
        }
    }

    private WireType? ReadType(ITypeSymbol type, CancellationToken cancellation)
    {
        switch (type.SpecialType)
        {
            case SpecialType.System_Boolean: return Number("bool", "Bool", 1);
            case SpecialType.System_SByte: return Number("sbyte", "Int8", 1);
            case SpecialType.System_Int16: return Number("short", "Int16", 2);
            case SpecialType.System_UInt16: return Number("ushort", "UInt16", 2);
            case SpecialType.System_Int32: return Number("int", "Int32", 4);
            case SpecialType.System_UInt32: return Number("uint", "UInt32", 4);
            case SpecialType.System_Int64: return Number("long", "Int64", 8);
            case SpecialType.System_UInt64: return Number("ulong", "UInt64", 8);
            case SpecialType.System_Double: return Number("double", "Float64", 8);
            case SpecialType.System_String: return new WireType(WireKind.String, "string");
        }

        if (type is IArrayTypeSymbol { Rank: 1, ElementType.SpecialType: SpecialType.System_Byte })
            return new WireType(WireKind.Bytes, "byte[]");
        if (type is not INamedTypeSymbol named)
            return null;
        if (named.TypeKind == TypeKind.Enum)
        {
            WireType? underlying = ReadType(named.EnumUnderlyingType!, cancellation);
            return underlying is null ? null : underlying with { CSharp = Qualified(named), Underlying = underlying.CSharp };
        }

        string name = named.OriginalDefinition.ToDisplayString();
        if (name == "System.Guid")
            return Number("global::System.Guid", "Uuid", 16);
        if (name == RecordsType)
            return new WireType(WireKind.Records, Qualified(named));
        if (name == "System.Collections.Generic.List<T>")
        {
            WireType? element = ReadType(named.TypeArguments[0], cancellation);
            bool impossible = element is null or { Kind: WireKind.List or WireKind.Records }
                || named.TypeArguments[0].NullableAnnotation == NullableAnnotation.Annotated;
            return impossible ? null : new WireType(WireKind.List, Qualified(named), Element: element);
        }

        // A structure within itself has no wire form: the depth of what is read would be up to the sender.
        if (named.TypeKind != TypeKind.Class || !IsNestedInMessage(named) || !_open.Add(named))
            return null;
        StructModel? model = ReadStruct(named, cancellation);
        _open.Remove(named);
        return model is null ? null : new WireType(WireKind.Struct, Qualified(named), Struct: model);

        static WireType Number(string cSharp, string method, int size) => new(WireKind.Number, cSharp, method, size);
    }

    private void CheckTags(INamedTypeSymbol type, List<FieldModel> fields)
    {
        var seen = new HashSet<int>();
        int previous = -1;
        foreach (FieldModel field in fields)
        {
            if (!field.IsTagged)
                continue;
            if (!seen.Add(field.Tag))
                Report(Descriptors.Tag, type, field.Name, $"tag {field.Tag} is taken");
            else if (field.Tag < previous)
                Report(Descriptors.Tag, type, field.Name, "tags must rise in the order of declaration");
            if (field.Versions.Min < _flexibleFrom)
                Report(Descriptors.Tag, type, field.Name, "only a flexible version has tagged fields");
            if (field.Type.Kind == WireKind.Records)
                Report(Descriptors.Tag, type, field.Name, "records cannot be tagged");
            previous = field.Tag;
        }
    }

    private bool IsNestedInMessage(INamedTypeSymbol type) =>
        SymbolEqualityComparer.Default.Equals(type.ContainingType, _message);

    private void Report(DiagnosticDescriptor descriptor, ISymbol where, string first, string second)
    {
        var problem = new Problem(descriptor, Spot(where), first, second);
        if (!_problems.Contains(problem))
            _problems.Add(problem);
    }

    private static SourceSpot Spot(ISymbol symbol) => SourceSpot.From(symbol.Locations[0]);

    private static string Qualified(ITypeSymbol type) => type
        .WithNullableAnnotation(NullableAnnotation.None)
        .ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat);

    private static bool IsPartial(INamedTypeSymbol type, CancellationToken cancellation) => type.DeclaringSyntaxReferences
        .Select(reference => reference.GetSyntax(cancellation))
        .OfType<ClassDeclarationSyntax>()
        .All(syntax => syntax.Modifiers.Any(SyntaxKind.PartialKeyword));

    private static T Named<T>(AttributeData attribute, string name, T absent)
    {
        foreach (KeyValuePair<string, TypedConstant> argument in attribute.NamedArguments)
        {
            if (argument.Key == name)
                return (T)argument.Value.Value!;
        }

        return absent;
    }
}
