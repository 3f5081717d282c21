using Dragoman.Admin.Http;
using Dragoman.Admin.Model;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Records;

namespace Dragoman.Admin.Resources;

/// <summary>Turns settings into the API's form and back.</summary>
internal static class TopicSettingsMapping
{
    public static TopicSettingsModel ToModel(TopicSettings settings) => new()
    {
        RetentionMs = settings.RetentionMs,
        RetentionBytes = settings.RetentionBytes,
        MaxMessageBytes = settings.MaxMessageBytes,
        TimestampType = settings.TimestampType == TimestampType.LogAppendTime ? "logAppendTime" : "createTime",
        CommitMode = NameOf(settings.CommitMode),
        Compacted = settings.Compacted,
        Attributes = settings.Attributes.IsEmpty ? null : settings.Attributes.ToDictionary(a => a.Key, a => (string?)a.Value),
    };

    public static string NameOf(CommitMode mode) => mode switch
    {
        CommitMode.Memory => "memory",
        CommitMode.Written => "written",
        _ => "fsync",
    };

    /// <summary>Checks a model and makes of it a change that cannot fail.</summary>
    /// <exception cref="ProblemException">A value is not allowed.</exception>
    public static Func<TopicSettings, TopicSettings> ToChange(TopicSettingsModel? model)
    {
        if (model is null) return static settings => settings;
        Least(model.RetentionMs, "retentionMs", -1);
        Least(model.RetentionBytes, "retentionBytes", -1);
        Least(model.MaxMessageBytes, "maxMessageBytes", RecordBatchHeader.Size);
        CommitMode? mode = model.CommitMode switch
        {
            null => null,
            "fsync" => CommitMode.Fsync,
            "written" => CommitMode.Written,
            "memory" => CommitMode.Memory,
            var other => throw ProblemException.BadRequest($"commitMode is '{other}'; it should be fsync, written or memory."),
        };
        TimestampType? type = model.TimestampType switch
        {
            null => null,
            "createTime" => TimestampType.CreateTime,
            "logAppendTime" => TimestampType.LogAppendTime,
            var other => throw ProblemException.BadRequest($"timestampType is '{other}'; it should be createTime or logAppendTime."),
        };
        return settings =>
        {
            var attributes = settings.Attributes;
            foreach (var (name, value) in model.Attributes ?? new Dictionary<string, string?>())
                attributes = value is null ? attributes.Remove(name) : attributes.SetItem(name, value);
            return settings with
            {
                RetentionMs = model.RetentionMs ?? settings.RetentionMs,
                RetentionBytes = model.RetentionBytes ?? settings.RetentionBytes,
                MaxMessageBytes = model.MaxMessageBytes ?? settings.MaxMessageBytes,
                TimestampType = type ?? settings.TimestampType,
                CommitMode = mode ?? settings.CommitMode,
                Compacted = model.Compacted ?? settings.Compacted,
                Attributes = attributes,
            };
        };
    }

    private static void Least(long? value, string name, long least)
    {
        if (value < least) throw ProblemException.BadRequest($"{name} is {value}; it should be at least {least}.");
    }
}
