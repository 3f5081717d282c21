using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Dragoman.Kafka.Quotas;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Deletes topics, named or by their ids.</summary>
internal sealed class DeleteTopicsHandler : RequestHandler<DeleteTopicsRequest, DeleteTopicsResponse>
{
    // KIP-599: before this version clients only wait.
    private const short FirstWithRefusals = 5;

    protected override async ValueTask<DeleteTopicsResponse?> HandleAsync(DeleteTopicsRequest message, PendingRequest request)
    {
        var response = new DeleteTopicsResponse();
        foreach (var name in message.TopicNames) response.Responses.Add(await DeleteAsync(name, Guid.Empty, request, response).ConfigureAwait(false));
        foreach (var topic in message.Topics) response.Responses.Add(await DeleteAsync(topic.Name, topic.TopicId, request, response).ConfigureAwait(false));
        return response;
    }

    private static async ValueTask<DeleteTopicsResponse.DeletableTopicResult> DeleteAsync(string? name, Guid id, PendingRequest request, DeleteTopicsResponse response)
    {
        var result = new DeleteTopicsResponse.DeletableTopicResult { Name = name, TopicId = id };
        if ((name is null) == (id == Guid.Empty)) return Refuse(result, ErrorCode.InvalidRequest, "A topic to delete has either a name or an id.");
        var topic = name is null ? request.Broker.TopicsWithQueues.Find(id) : request.Broker.TopicsWithQueues.Find(KafkaTopicNames.Parse(name));
        if (topic is null && name is not null && !request.MayUseTopic(Operations.Describe, name)) return Refuse(result, ErrorCode.TopicAuthorizationFailed, "The client may not see this topic.");
        if (topic is null)
            return name is null ? Refuse(result, ErrorCode.UnknownTopicId, $"There is no topic with id {id}.") : Refuse(result, ErrorCode.UnknownTopicOrPartition, $"There is no topic '{name}'.");
        if (!request.MayUseTopic(Operations.Delete, topic.Name)) return Refuse(result, ErrorCode.TopicAuthorizationFailed, "The client may not delete this topic.");
        if (topic.IsQueue) return Refuse(result, ErrorCode.PolicyViolation, "A queue is deleted where it was declared.");
        result.Name = KafkaTopicNames.Format(topic.Name);
        result.TopicId = topic.Id;
        try
        {
            response.ThrottleTimeMs = Math.Max(response.ThrottleTimeMs, request.TakeChanges(topic.Partitions.Count, strict: request.Version >= FirstWithRefusals));
        }
        catch (QuotaExceededException error)
        {
            response.ThrottleTimeMs = Math.Max(response.ThrottleTimeMs, error.WaitMs);
            return Refuse(result, error.Code, error.Message);
        }
        var answer = await request.Broker.Topics.DeleteAsync(topic.Name).ConfigureAwait(false);
        return answer.Status == TopicStatus.Ok ? result : Refuse(result, Errors.Of(answer.Status), answer.Message);
    }

    private static DeleteTopicsResponse.DeletableTopicResult Refuse(DeleteTopicsResponse.DeletableTopicResult result, ErrorCode error, string? message)
    {
        result.ErrorCode = error;
        result.ErrorMessage = message;
        return result;
    }
}
