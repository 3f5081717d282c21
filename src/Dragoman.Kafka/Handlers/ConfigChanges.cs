using System.Collections.Immutable;
using Dragoman.Broker.Configs;
using Dragoman.Broker.Groups.Consumer;
using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Dragoman.Kafka.Configs;
using Dragoman.Kafka.Groups;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Storage.Journal;

namespace Dragoman.Kafka.Handlers;

/// <summary>What the two requests that change configurations have in common.</summary>
internal static class ConfigChanges
{
    /// <summary>Changes the configurations of a resource, or only checks the change.</summary>
    /// <param name="type">What is configured.</param>
    /// <param name="name">Its name.</param>
    /// <param name="changes">The changes.</param>
    /// <param name="replaceAll">Whether what the changes do not name is taken away.</param>
    /// <param name="validateOnly">Whether only to check.</param>
    /// <param name="request">The request.</param>
    /// <exception cref="KafkaRequestException">It cannot be done.</exception>
    public static async ValueTask ApplyAsync(
        ConfigResourceType type, string name, IReadOnlyList<ConfigChange> changes, bool replaceAll, bool validateOnly, PendingRequest request)
    {
        if (changes.DistinctBy(c => c.Name).Count() != changes.Count)
            throw new KafkaRequestException(ErrorCode.InvalidRequest, "The request names a configuration more than once.");
        switch (type)
        {
            case ConfigResourceType.Topic:
                await ChangeTopicAsync(name, changes, replaceAll, validateOnly, request).ConfigureAwait(false);
                break;
            case ConfigResourceType.Broker:
                request.RequireCluster(Operations.AlterConfigs);
                var nodes = request.FrontEnd.NodeConfigs;
                await ChangeAsync(nodes.Find(name), nodes.FindDynamic, changes, replaceAll, validateOnly, request).ConfigureAwait(false);
                break;
            case ConfigResourceType.Group:
                if (!request.MayUseGroup(Operations.AlterConfigs, name)) throw new KafkaRequestException(ErrorCode.GroupAuthorizationFailed, "The client may not change this group's configuration.");
                if (name.Length == 0) throw new KafkaRequestException(ErrorCode.InvalidRequest, "A group has a name.");
                var options = request.Broker.Groups.Options;
                await ChangeAsync(
                    ConsumerSettings.TargetOf(KafkaGroupNames.Parse(name)), config => GroupConfigs.Find(config, options), changes, replaceAll, validateOnly, request,
                    configured => GroupConfigs.Check(configured, options)).ConfigureAwait(false);
                break;
            case ConfigResourceType.BrokerLogger:
                throw new KafkaRequestException(ErrorCode.InvalidRequest, "What is logged is settled when the broker starts: its loggers have no configuration.");
            default:
                throw new KafkaRequestException(ErrorCode.InvalidRequest, $"Resources of type {type} have no configuration here.");
        }
    }

    private static async ValueTask ChangeAsync(
        ConfigTarget target, Func<string, TopicConfig> find, IReadOnlyList<ConfigChange> changes, bool replaceAll, bool validateOnly, PendingRequest request,
        Action<ImmutableSortedDictionary<string, string>>? check = null)
    {
        ImmutableSortedDictionary<string, string> Change(ImmutableSortedDictionary<string, string> before)
        {
            var after = replaceAll ? before.Clear().ToBuilder() : before.ToBuilder();
            foreach (var change in changes)
            {
                var config = find(change.Name);
                if (change.Apply(config, before.GetValueOrDefault(change.Name, config.Default)) is not { } value)
                {
                    after.Remove(change.Name);
                    continue;
                }
                config.Check(value);
                after[change.Name] = value;
            }
            var changed = after.ToImmutable();
            check?.Invoke(changed);
            return changed;
        }

        var configs = request.Broker.Configs;
        Change(configs.Get(target));
        if (validateOnly) return;
        var (status, why) = await configs.ChangeAsync(target, Change).ConfigureAwait(false);
        if (status != ConfigStatus.Ok) throw new KafkaRequestException(ErrorCode.KafkaStorageError, why ?? status.ToString());
    }

    private static async ValueTask ChangeTopicAsync(string name, IReadOnlyList<ConfigChange> changes, bool replaceAll, bool validateOnly, PendingRequest request)
    {
        if (!request.MayUseTopic(Operations.AlterConfigs, name)) throw new KafkaRequestException(ErrorCode.TopicAuthorizationFailed, "The client may not change this topic's configuration.");
        var broker = request.Broker;
        var topic = broker.TopicsWithQueues.Find(KafkaTopicNames.Parse(name))
            ?? throw new KafkaRequestException(ErrorCode.UnknownTopicOrPartition, $"There is no topic '{name}'.");
        if (topic.IsQueue) throw new KafkaRequestException(ErrorCode.PolicyViolation, "What a queue is like is settled where it was declared.");
        var defaults = broker.Options.DefaultTopicSettings;
        Check(topic.Settings, TopicConfigs.Change(topic.Settings, defaults, changes, replaceAll));
        if (validateOnly) return;
        KafkaRequestException? failure = null;
        var answer = await broker.Topics.ChangeSettingsAsync(topic.Name, settings =>
        {
            // The settings may have changed since, and with them what is allowed.
            try
            {
                var changed = TopicConfigs.Change(settings, defaults, changes, replaceAll);
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
