using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dragoman.Broker.Parameters;

/// <summary>Writes JSON values as they are kept.</summary>
[JsonSerializable(typeof(JsonElement))]
internal sealed partial class CompactJson : JsonSerializerContext;
