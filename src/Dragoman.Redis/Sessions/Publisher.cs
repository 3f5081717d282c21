using Dragoman.Broker.Channels;
using Dragoman.Broker.Namespaces;
using Dragoman.Redis.Access;

namespace Dragoman.Redis.Sessions;

/// <summary>What one connection publishes. What publishing to a channel means is kept until topics, routes or permissions change.</summary>
internal sealed class Publisher(RedisSession session) : IDisposable
{
    private const int Capacity = 4096;

    private readonly Dictionary<byte[], ChannelTarget> _targets = new(ByteKeys.Comparer);
    private ChannelRun? _run;
    private ChannelTarget? _last;
    private long _version = -1;

    /// <summary>Publishes. The reply is written at once, or comes when what was published is durable.</summary>
    public ValueTask Publish(ReadOnlySpan<byte> channel, ReadOnlySpan<byte> payload)
    {
        var target = Find(channel);
        if (target is null)
        {
            return Answer(new ChannelAnswer(0, Commands.Errors.NoChannelPermission));
        }
        if (target.IsTransient) return Answer(new ChannelAnswer(session.FrontEnd.Channels.Publish(channel, payload, Run)));
        EndRun();
        var publishing = session.FrontEnd.Broker.Channels.PublishAsync(target, payload);
        if (session.IsExecuting) return AnswerAsync(publishing);
        session.AwaitPublish(publishing);
        return default;
    }

    /// <summary>Publishes to a channel of a shard: those who listen now hear it.</summary>
    public ValueTask PublishToShard(ReadOnlySpan<byte> channel, ReadOnlySpan<byte> payload)
    {
        if (!ChannelAccess.MayPublish(session.Identity, NamespaceName.Default, channel)) return Answer(new ChannelAnswer(0, Commands.Errors.NoChannelPermission));
        return Answer(new ChannelAnswer(session.FrontEnd.Shards.Publish(channel, payload, Run)));
    }

    /// <summary>Lets those who listen hear what has gathered: before any other command, and before anything is waited for.</summary>
    public void EndRun() => _run?.End();

    /// <summary>Lets go of its memory.</summary>
    public void Dispose() => _run?.Dispose();

    /// <summary>What is published in a row. Who hears itself does so after each reply, and a transaction is for its own commands alone.</summary>
    private ChannelRun? Run => session.IsExecuting || session.Subscriptions.Total > 0 ? null : _run ??= new ChannelRun();

    /// <summary>Writes the reply to a publish.</summary>
    public void WriteReply(ChannelAnswer answer)
    {
        if (answer.Problem is not { } problem) session.Reply.Integer(answer.Heard);
        else session.Reply.Error(problem == Commands.Errors.NoChannelPermission ? problem : $"ERR {problem}");
    }

    private ValueTask Answer(ChannelAnswer answer)
    {
        // Behind one that waits for its reply, replies wait.
        if (session.IsPublishing) session.AwaitPublish(new ValueTask<ChannelAnswer>(answer));
        else WriteReply(answer);
        return default;
    }

    private async ValueTask AnswerAsync(ValueTask<ChannelAnswer> publishing)
    {
        WriteReply(await publishing.ConfigureAwait(false));
        session.OnResumed();
    }

    /// <summary>What publishing to a channel means; null if the client may not.</summary>
    private ChannelTarget? Find(ReadOnlySpan<byte> channel)
    {
        var frontEnd = session.FrontEnd;
        var version = frontEnd.Broker.Channels.Version + frontEnd.Broker.Accounts.Version;
        if (version != _version)
        {
            _targets.Clear();
            _last = null;
            _version = version;
        }
        if (_last is { } last && channel.SequenceEqual(last.Channel.Span)) return last;
        var lookup = _targets.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (lookup.TryGetValue(channel, out var known)) return _last = known;
        if (!ChannelAccess.MayPublish(session.Identity, NamespaceName.Default, channel)) return null;
        var target = frontEnd.Broker.Channels.Resolve(NamespaceName.Default, channel);
        if (_targets.Count >= Capacity) _targets.Clear();
        lookup[channel] = target;
        return _last = target;
    }

    /// <summary>Whether a publish to a channel has to wait until it is durable.</summary>
    public bool IsKept(ReadOnlySpan<byte> channel) => Find(channel) is { IsTransient: false };

    /// <summary>Forgets what it knows: the client is another one now.</summary>
    public void Forget() => _version = -1;
}
