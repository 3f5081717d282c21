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
[JsonSerializable(typeof(UserList))]
[JsonSerializable(typeof(UserModel))]
[JsonSerializable(typeof(CreateUserRequest))]
[JsonSerializable(typeof(ChangeUserRequest))]
[JsonSerializable(typeof(CreateTokenRequest))]
[JsonSerializable(typeof(CreatedToken))]
[JsonSerializable(typeof(CreateAccessKeyRequest))]
[JsonSerializable(typeof(CreatedAccessKey))]
[JsonSerializable(typeof(PermissionList))]
[JsonSerializable(typeof(PermissionModel))]
[JsonSerializable(typeof(GroupList))]
[JsonSerializable(typeof(GroupDetails))]
[JsonSerializable(typeof(ResetOffsetsRequest))]
[JsonSerializable(typeof(ResetOffsetsResult))]
[JsonSerializable(typeof(AdvanceClockRequest))]
[JsonSerializable(typeof(ClockModel))]
public sealed partial class AdminJson : JsonSerializerContext;
