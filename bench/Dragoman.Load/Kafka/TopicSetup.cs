using Confluent.Kafka;
using Confluent.Kafka.Admin;
using Dragoman.Load.Reporting;

namespace Dragoman.Load.Kafka;

/// <summary>Makes the topic that a run uses, and finds out what an acknowledgement from it means.</summary>
internal static class TopicSetup
{
    private const string CommitModeConfig = "dragoman.commit.mode";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Creates the topic unless it exists.</summary>
    /// <returns>The commit mode that the topic's configuration tells, or null where the broker has no such setting.</returns>
    public static async Task<string?> PrepareAsync(string bootstrap, string topic, int partitions, string? commitMode)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = bootstrap }).Build();
        var specification = new TopicSpecification { Name = topic, NumPartitions = partitions, ReplicationFactor = 1 };
        if (commitMode is not null) specification.Configs = new Dictionary<string, string> { [CommitModeConfig] = commitMode };
        try
        {
            await CreateAsync(admin, specification);
        }
        catch (CreateTopicsException error) when (commitMode is not null && error.Results[0].Error.Code == ErrorCode.InvalidConfig)
        {
            Terminal.Note($"This broker knows no {CommitModeConfig}; '{commitMode}' is taken as a label for what it is set to.");
            specification.Configs = null;
            await CreateAsync(admin, specification);
        }
        var described = await admin.DescribeConfigsAsync([new ConfigResource { Type = ResourceType.Topic, Name = topic }], new DescribeConfigsOptions { RequestTimeout = Patience });
        return described[0].Entries.TryGetValue(CommitModeConfig, out var entry) ? entry.Value : null;
    }

    private static async Task CreateAsync(IAdminClient admin, TopicSpecification specification)
    {
        try
        {
            await admin.CreateTopicsAsync([specification], new CreateTopicsOptions { RequestTimeout = Patience, OperationTimeout = Patience });
        }
        catch (CreateTopicsException error) when (error.Results[0].Error.Code == ErrorCode.TopicAlreadyExists)
        {
            Terminal.Note($"Topic {specification.Name} exists already and is used as it is.");
        }
    }

    public static async Task DeleteAsync(string bootstrap, string topic)
    {
        using var admin = new AdminClientBuilder(new AdminClientConfig { BootstrapServers = bootstrap }).Build();
        await admin.DeleteTopicsAsync([topic], new DeleteTopicsOptions { RequestTimeout = Patience, OperationTimeout = Patience });
    }
}
