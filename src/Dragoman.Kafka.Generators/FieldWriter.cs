namespace Dragoman.Kafka.Generators;

/// <summary>Writes the code that writes one field.</summary>
internal static class FieldWriter
{
    public static void Emit(CodeText code, FieldModel field, VersionRange known)
    {
        string nullable = field.Nullable.Condition(known);
        string value = $"this.{field.Name}";
        switch (field.Type.Kind)
        {
            case WireKind.List:
                string count = field.IsNullableInCode ? $"{value}?.Count ?? -1" : $"{value}.Count";
                code.Line($"writer.WriteArrayLength({count}, flexible, {nullable}, nameof({field.Name}));");
                code.Open(field.IsNullableInCode ? $"if ({value} is not null)" : null);
                code.Open($"for (int i = 0; i < {value}.Count; i++)");
                EmitValue(code, field.Type.Element!, $"{value}[i]", "false", field.Name);
                code.Close().Close();
                break;
            case WireKind.Struct when !field.Nullable.IsEmpty:
                code.Line($"if ({nullable}) writer.WriteNullMarker({value} is null);");
                code.Line($"else if ({value} is null) throw new global::Dragoman.Kafka.Wire.KafkaWireException(global::Dragoman.Kafka.Wire.KafkaWireError.Malformed, \"{field.Name} is null in a version where it may not be.\");");
                code.Line($"{value}?.Write(ref writer, version);");
                break;
            default:
                EmitValue(code, field.Type, value, nullable, field.Name);
                break;
        }
    }

    /// <summary>The condition under which a tagged field is written.</summary>
    public static string IsPresent(FieldModel field) => field.Type.Kind switch
    {
        WireKind.Number or WireKind.String => $"this.{field.Name} != s_initial.{field.Name}",
        WireKind.List when !field.IsNullableInCode => $"this.{field.Name}.Count != 0",
        WireKind.Bytes when !field.IsNullableInCode => $"this.{field.Name}.Length != 0",
        _ => $"this.{field.Name} is not null",
    };

    public static bool ComparesWithInitialValue(FieldModel field) =>
        field is { IsTagged: true, Type.Kind: WireKind.Number or WireKind.String };

    private static void EmitValue(CodeText code, WireType type, string value, string nullable, string name)
    {
        string rest = $"flexible, {nullable}, nameof({name})";
        code.Line(type.Kind switch
        {
            WireKind.Number when type.Underlying is not null => $"writer.Write{type.Method}(({type.Underlying}){value});",
            WireKind.Number => $"writer.Write{type.Method}({value});",
            WireKind.String => $"writer.WriteString({value}, {rest});",
            WireKind.Bytes => $"writer.WriteBytes({value}, {rest});",
            WireKind.Records => $"writer.WriteRecords({value}, {rest});",
            _ => $"{value}!.Write(ref writer, version);",
        });
    }
}
