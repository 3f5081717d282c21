using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dragoman.Admin.Model;

/// <summary>The JSON of the admin API; made at compile time, so that neither start nor size pays for reflection.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
[JsonSerializable(typeof(HealthReport))]
[JsonSerializable(typeof(NodeOverview))]
public sealed partial class AdminJson : JsonSerializerContext;
