using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Dragoman.Kafka.Configs;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Storage.Journal;

namespace Dragoman.Kafka.Handlers;

/// <summary>What the two requests that change configurations have in common.</summary>
internal static class ConfigChanges
{
    /// <summary>Changes a topic's configurations, or only checks the change.</summary>
    /// <param name="type">What is configured: only topics can be while the node runs.</param>
    /// <param name="name">Its name.</param>
    /// <param name="change">What becomes of the settings, given those of a topic of which nothing was said. Must be pure.</param>
    /// <param name="validateOnly">Whether only to check.</param>
    /// <param name="request">The request.</param>
    /// <exception cref="KafkaRequestException">It cannot be done.</exception>
    public static async ValueTask ApplyAsync(
        ConfigResourceType type, string name, Func<TopicSettings, TopicSettings, TopicSettings> change, bool validateOnly, PendingRequest request)
    {
        if (type != ConfigResourceType.Topic)
            throw new KafkaRequestException(ErrorCode.InvalidRequest, $"The configuration of resources of type {type} cannot be changed while the broker runs.");
        if (!request.MayUseTopic(Operations.AlterConfigs, name)) throw new KafkaRequestException(ErrorCode.TopicAuthorizationFailed, "The client may not change this topic's configuration.");
        var broker = request.Broker;
        var topic = broker.Topics.Find(KafkaTopicNames.Parse(name))
            ?? throw new KafkaRequestException(ErrorCode.UnknownTopicOrPartition, $"There is no topic '{name}'.");
        var defaults = broker.Options.DefaultTopicSettings;
        Check(topic.Settings, change(topic.Settings, defaults));
        if (validateOnly) return;
        KafkaRequestException? failure = null;
        var answer = await broker.Topics.ChangeSettingsAsync(topic.Name, settings =>
        {
            // The settings may have changed since, and with them what is allowed.
            try
            {
                var changed = change(settings, defaults);
                Check(settings, changed);
                return changed;
            }
            catch (KafkaRequestException error)
            {
                failure = error;
                return settings;
            }
        }).ConfigureAwait(false);
        if (failure is not null) throw failure;
        if (answer.Status != TopicStatus.Ok) throw new KafkaRequestException(Errors.Of(answer.Status), answer.Message ?? answer.Status.ToString());
    }

    private static void Check(TopicSettings before, TopicSettings after)
    {
        if ((before.CommitMode == CommitMode.Memory) != (after.CommitMode == CommitMode.Memory))
            throw new KafkaRequestException(ErrorCode.InvalidConfig, $"{TopicConfigs.CommitModeName} cannot be changed to or from memory: create the topic anew.");
    }
}
