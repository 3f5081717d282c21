namespace Dragoman.Kafka.Generators;

/// <summary>Writes the code that reads one field into <c>message</c>.</summary>
internal static class FieldReader
{
    public static void Emit(CodeText code, FieldModel field, VersionRange known)
    {
        string target = $"message.{field.Name}";
        string nullable = field.Nullable.Condition(known);
        switch (field.Type.Kind)
        {
            case WireKind.List:
                EmitList(code, field, target, nullable);
                break;
            case WireKind.Struct when !field.Nullable.IsEmpty:
                code.Line($"{target} = ({nullable}) && reader.ReadNullMarker() ? null : {Value(field.Type)};");
                break;
            case WireKind.Records:
                code.Line($"{target} = reader.ReadRecords(flexible, {nullable});");
                break;
            case WireKind.String or WireKind.Bytes when !field.Nullable.IsEmpty:
                string method = field.Type.Kind == WireKind.String ? "ReadString" : "ReadBytes";
                code.Line($"{target} = reader.{method}(flexible, {nullable});");
                break;
            default:
                code.Line($"{target} = {Value(field.Type)};");
                break;
        }
    }

    /// <summary>The least number of bytes of a value, as an expression over <c>version</c> and <c>flexible</c>.</summary>
    public static string MinimumSize(WireType type) => type.Kind switch
    {
        WireKind.Number => type.Size.ToString(System.Globalization.CultureInfo.InvariantCulture),
        WireKind.String => "(flexible ? 1 : 2)",
        WireKind.Struct => $"{type.CSharp}.MinimumSize(version, flexible)",
        _ => "(flexible ? 1 : 4)",
    };

    private static void EmitList(CodeText code, FieldModel field, string target, string nullable)
    {
        WireType element = field.Type.Element!;
        code.Line($"int count = reader.ReadArrayLength(flexible, {nullable}, {MinimumSize(element)});");
        if (!field.IsNullableInCode)
        {
            // The list that the initial value brought along is as good as a new one.
            code.Line($"var list = {target};").Line("list.Clear();").Line("list.EnsureCapacity(count);");
            EmitElements(code, element);
            return;
        }

        code.Line("if (count < 0)").Line($"    {target} = null;").Line("else");
        code.Open();
        code.Line($"var list = new {field.Type.CSharp}(count);");
        EmitElements(code, element);
        code.Line($"{target} = list;").Close();
    }

    private static void EmitElements(CodeText code, WireType element) =>
        code.Line("for (int i = 0; i < count; i++)").Line($"    list.Add({Value(element)});");

    private static string Value(WireType type) => type.Kind switch
    {
        WireKind.Number when type.Underlying is not null => $"({type.CSharp})reader.Read{type.Method}()",
        WireKind.Number => $"reader.Read{type.Method}()",
        WireKind.String => "reader.ReadString(flexible)",
        WireKind.Bytes => "reader.ReadBytes(flexible)",
        _ => $"{type.CSharp}.Read(ref reader, version)",
    };
}
