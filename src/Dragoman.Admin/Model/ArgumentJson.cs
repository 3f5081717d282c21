using System.Text.Json.Serialization;

namespace Dragoman.Admin.Model;

/// <summary>The JSON of values that stand by themselves.</summary>
[JsonSerializable(typeof(bool))]
[JsonSerializable(typeof(long))]
[JsonSerializable(typeof(string))]
internal sealed partial class ArgumentJson : JsonSerializerContext;
