using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dragoman.Admin.Model;

/// <summary>The JSON of the admin API; made at compile time, so that neither start nor size pays for reflection.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow, RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true)]
[JsonSerializable(typeof(HealthReport))]
[JsonSerializable(typeof(NodeOverview))]
[JsonSerializable(typeof(TopicList))]
[JsonSerializable(typeof(TopicDetails))]
[JsonSerializable(typeof(CreateTopicRequest))]
[JsonSerializable(typeof(ChangeTopicRequest))]
[JsonSerializable(typeof(RecordModel))]
[JsonSerializable(typeof(ProduceRequest))]
[JsonSerializable(typeof(ProduceResult))]
public sealed partial class AdminJson : JsonSerializerContext;
