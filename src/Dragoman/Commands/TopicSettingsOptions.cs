using System.CommandLine;
using Dragoman.Admin.Model;

namespace Dragoman.Commands;

/// <summary>The settings of a topic as options.</summary>
internal sealed class TopicSettingsOptions
{
    private readonly Option<string?> _commitMode = new("--commit-mode") { Description = "What an acknowledgement means: fsync, written or memory.", HelpName = "MODE" };
    private readonly Option<string?> _retention = new("--retention") { Description = "How long messages are kept, such as 7d, 12h, 30m, 10s, 500ms; or forever.", HelpName = "TIME" };
    private readonly Option<string?> _retentionBytes = new("--retention-bytes") { Description = "How much each partition keeps at least, such as 10GiB; or unlimited.", HelpName = "SIZE" };
    private readonly Option<string?> _maxMessageBytes = new("--max-message-bytes") { Description = "The largest batch of records that is taken, such as 1MiB.", HelpName = "SIZE" };
    private readonly Option<string?> _timestampType = new("--timestamp-type") { Description = "Who sets timestamps: createTime (the producer) or logAppendTime (the broker).", HelpName = "TYPE" };
    private readonly Option<bool?> _compacted = new("--compacted") { Description = "Every message must have a key, and the newest of each key is kept." };

    public IEnumerable<Option> All => [_commitMode, _retention, _retentionBytes, _maxMessageBytes, _timestampType, _compacted];

    /// <summary>What was given; null if nothing was.</summary>
    public TopicSettingsModel? Read(ParseResult parsed)
    {
        var model = new TopicSettingsModel
        {
            CommitMode = parsed.GetValue(_commitMode),
            RetentionMs = parsed.GetValue(_retention) is { } time ? Durations.Parse(time, "--retention") : null,
            RetentionBytes = parsed.GetValue(_retentionBytes) is { } size ? size is "unlimited" or "-1" ? -1 : Size(size, "--retention-bytes") : null,
            MaxMessageBytes = parsed.GetValue(_maxMessageBytes) is { } largest ? (int)Math.Min(int.MaxValue, Size(largest, "--max-message-bytes")) : null,
            TimestampType = parsed.GetValue(_timestampType),
            Compacted = parsed.GetResult(_compacted) is { Implicit: false } ? parsed.GetValue(_compacted) ?? true : null,
        };
        return model == new TopicSettingsModel() ? null : model;
    }

    private static long Size(string text, string option) =>
        ByteSize.TryParse(text, out var bytes) ? bytes : throw new CommandException($"{option} is '{text}'; it should be a size such as 10MiB.", ExitCode.Usage);
}
