using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Dragoman.Broker.Channels;
using Dragoman.Protocols;
using Dragoman.Protocols.Authentication;
using Dragoman.Protocols.Connections;
using Dragoman.Protocols.Framing;
using Dragoman.Redis.Wire;
using Dragoman.Storage.Records;
using Microsoft.Extensions.Logging;

namespace Dragoman.Redis.Sessions;

/// <summary>Which replies a client wants: <c>CLIENT REPLY</c>.</summary>
internal enum ReplyMode
{
    /// <summary>All.</summary>
    On,

    /// <summary>None.</summary>
    Off,

    /// <summary>All but the next command's.</summary>
    SkipNext,

    /// <summary>All but this command's.</summary>
    Skip,
}

/// <summary>
/// One connection: a loop that reads requests and runs them in order. The replies to what one read brings in are sent
/// together; messages of channels come in between, from whoever publishes.
/// </summary>
public sealed class RedisSession : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly PipeReader _input;
    private readonly PipeWriter _pipe;
    private readonly RequestParser _parser = new();
    private readonly PooledBuffer _replies = new();
    private readonly PooledBuffer _toSelf = new();
    private readonly List<ValueTask<ChannelAnswer>> _publishing = [];
    private readonly X509Certificate2? _certificate;
    private int _charged;
    private int _runningOn;
    private bool _isClosing;
    private volatile bool _isGone;
    private volatile string? _goneBecause;

    internal RedisSession(RedisFrontEnd frontEnd, IDuplexPipe transport, PipeScheduler scheduler, PipeScheduler later, long id, EndPoint? remote, EndPoint? local, X509Certificate2? certificate, LiveConnection live)
    {
        Live = live;
        live.Closing = Disconnect;
        FrontEnd = frontEnd;
        Id = id;
        Remote = remote;
        Local = local;
        CreatedAt = frontEnd.Broker.Time.GetUtcNow();
        _certificate = certificate;
        _input = transport.Input;
        _pipe = transport.Output;
        Output = new SessionOutput(_pipe, scheduler, later, frontEnd.Limits) { Failed = OnOutputFailed, Live = live };
        Reply = new ReplyWriter(_replies);
        Subscriptions = new SubscriptionTable(this);
        Publisher = new Publisher(this);
        Database = frontEnd.Keys[0];
        Identity = null!;
        Begin();
    }

    internal RedisFrontEnd FrontEnd { get; }

    /// <summary>What the connection is listed as.</summary>
    internal LiveConnection Live { get; }

    /// <summary>The connection's number: <c>CLIENT ID</c>.</summary>
    public long Id { get; }

    internal EndPoint? Remote { get; }

    internal EndPoint? Local { get; }

    internal DateTimeOffset CreatedAt { get; }

    internal SessionOutput Output { get; }

    internal ReplyWriter Reply { get; }

    internal SubscriptionTable Subscriptions { get; }

    internal Publisher Publisher { get; }

    internal QueuedCommands Queued { get; } = new();

    /// <summary>Who the client is.</summary>
    internal ClientIdentity Identity { get; private set; }

    /// <summary>Whether it has logged in, or need not.</summary>
    internal bool IsLoggedIn { get; private set; }

    internal string ClientName { get; set; } = "";

    internal string LibraryName { get; set; } = "";

    internal string LibraryVersion { get; set; } = "";

    internal Keys.Database Database { get; set; }

    internal ReplyMode ReplyMode { get; set; }

    /// <summary>The name of the command that ran last, as <c>CLIENT LIST</c> shows it.</summary>
    internal string LastCommand { get; set; } = "NULL";

    internal DateTimeOffset LastActive { get; private set; }

    internal bool NoEvict { get; set; }

    internal bool NoTouch { get; set; }

    /// <summary>Whether a transaction's commands run: then each waits for its own answer.</summary>
    internal bool IsExecuting { get; set; }

    /// <summary>Whether only commands about subscriptions are allowed: in RESP 2, messages and replies cannot be told apart.</summary>
    internal bool IsSubscriber => Reply.Protocol == 2 && Subscriptions.Total > 0;

    private string Name => $"{Id} from {Remote}";

    /// <summary>Serves until the client goes or does something wrong. That the client is gone is seen where it is read from or written to.</summary>
    public async Task RunAsync()
    {
        Exception? failure = null;
        FrontEnd.Sessions[Id] = this;
        try
        {
            await ReadAsync().ConfigureAwait(false);
        }
        catch (Exception error) when (error is ConnectionFailedException or IOException or OperationCanceledException)
        {
            failure = error;
        }
        FrontEnd.Sessions.TryRemove(Id, out _);
        Subscriptions.RemoveAll();
        if (!_isGone && failure is null) await Output.EndAsync().ConfigureAwait(false);
        Output.Abort();
        await Output.WaitForWriterAsync().ConfigureAwait(false);
        // This is the one place that closes a connection, and the one that says why.
        if (_goneBecause is { } reason) FrontEnd.Log.LogWarning("Closing Redis connection {Connection}: {Reason}", Name, reason);
        else if (failure is ConnectionFailedException) FrontEnd.Log.LogWarning("Closing Redis connection {Connection}: {Reason}", Name, failure.Message);
        else if (failure is not null) FrontEnd.Log.LogDebug(failure, "Redis connection {Connection} is gone.", Name);
        if (_charged > 0) FrontEnd.Gathered.Return(_charged);
        await _input.CompleteAsync().ConfigureAwait(false);
        await _pipe.CompleteAsync().ConfigureAwait(false);
        Dispose();
    }

    /// <summary>Ends the connection from outside.</summary>
    /// <param name="reason">Why, for the log; null if that is not worth a word.</param>
    public void Disconnect(string? reason)
    {
        _goneBecause ??= reason;
        _isGone = true;
        Output.Abort();
        _input.CancelPendingRead();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _parser.Dispose();
        _replies.Dispose();
        _toSelf.Dispose();
        Publisher.Dispose();
    }

    /// <summary>Takes messages of a channel.</summary>
    internal void OnMessages(ChannelSubscription subscription, SubscriptionKind kind, scoped in ChannelMessages messages)
    {
        // What a client publishes to itself comes after the reply to its publishing it.
        if (_runningOn == Environment.CurrentManagedThreadId) _toSelf.Write(messages.As(PushForm.Of(kind, Reply.Protocol)));
        else Output.Push(subscription, kind, messages);
    }

    /// <summary>The client has logged in.</summary>
    internal void LogIn(ClientIdentity identity)
    {
        Identity = identity;
        Live.User = identity.User;
        IsLoggedIn = true;
        Publisher.Forget();
        _parser.IsTrusted = true;
    }

    /// <summary>Makes the connection as good as new: <c>RESET</c>.</summary>
    internal void Reset()
    {
        Queued.Clear();
        Subscriptions.RemoveAll();
        Database = FrontEnd.Keys[0];
        ClientName = "";
        ReplyMode = ReplyMode.On;
        NoEvict = false;
        NoTouch = false;
        SetProtocol(2);
        Begin();
    }

    /// <summary>Ends the connection if it listens to what it may not any longer.</summary>
    internal void CheckPermissions()
    {
        bool listens;
        lock (Output.Lock) listens = Subscriptions.MayKeepAll();
        if (!listens) Disconnect("it listens to channels that it may not listen to any longer");
    }

    /// <summary>Switches to a RESP version: replies and messages from here on are in it.</summary>
    internal void SetProtocol(int protocol)
    {
        lock (Output.Lock)
        {
            SendRepliesLocked();
            Output.Protocol = protocol;
        }
        Reply.Protocol = protocol;
    }

    /// <summary>Hands over the replies so far. The caller holds the output's lock, and decides with it what is sent before what.</summary>
    internal void SendRepliesLocked()
    {
        Output.AddLocked(_replies.WrittenSpan);
        _replies.Clear();
        CommandStart = 0;
    }

    /// <summary>Where the replies of the command that runs begin.</summary>
    internal int CommandStart { get; private set; }

    /// <summary>Ends the connection when the replies are sent.</summary>
    internal void Close() => _isClosing = true;

    /// <summary>A publish is under way whose reply comes when it is durable. Others may follow it; all else waits.</summary>
    internal void AwaitPublish(ValueTask<ChannelAnswer> publish) => _publishing.Add(publish);

    /// <summary>Whether publishes are under way, so that replies have to wait for theirs.</summary>
    internal bool IsPublishing => _publishing.Count > 0;

    /// <summary>Writes the replies of publishes that were under way.</summary>
    internal async ValueTask FinishPublishesAsync()
    {
        if (_publishing.Count == 0) return;
        Publisher.EndRun();
        // Whoever publishes on this thread meanwhile is somebody else.
        _runningOn = 0;
        foreach (var publish in _publishing)
        {
            var answer = await publish.ConfigureAwait(false);
            Publisher.WriteReply(answer);
        }
        _publishing.Clear();
        _runningOn = Environment.CurrentManagedThreadId;
        WriteToSelf();
    }

    /// <summary>Says that the thread may have changed.</summary>
    internal void OnResumed() => _runningOn = Environment.CurrentManagedThreadId;

    private void Begin()
    {
        (Identity, IsLoggedIn) = FrontEnd.Login.Begin(Remote, _certificate);
        Live.User = Identity.User;
        _parser.IsTrusted = IsLoggedIn;
        Publisher.Forget();
    }

    private async Task ReadAsync()
    {
        while (true)
        {
            var result = await _input.ReadAsync().ConfigureAwait(false);
            if (_isGone) return;
            LastActive = FrontEnd.Broker.Time.GetUtcNow();
            var bytes = result.Buffer;
            if (!bytes.IsEmpty) Live.OnReceived(bytes.Length);
            var handling = HandleAsync(bytes);
            if (!handling.IsCompletedSuccessfully) await handling.ConfigureAwait(false);
            _input.AdvanceTo(bytes.End);
            if (_isClosing || _isGone) return;
            if (_parser.Gathered > ByteBudget.LargeMessage / 8 || _charged > 0)
            {
                var charging = ChargeAsync();
                if (!charging.IsCompletedSuccessfully) await charging.ConfigureAwait(false);
            }
            var room = Output.WaitForRoomAsync();
            if (!room.IsCompletedSuccessfully) await room.ConfigureAwait(false);
            if (result.IsCompleted) return;
        }
    }

    /// <summary>Runs the requests that have wholly arrived, and sends the replies.</summary>
    private ValueTask HandleAsync(in ReadOnlySequence<byte> bytes)
    {
        _runningOn = Environment.CurrentManagedThreadId;
        if (bytes.IsSingleSegment)
        {
            var handling = HandleSegmentAsync(bytes.First);
            if (!handling.IsCompletedSuccessfully) return FinishAsync(handling);
            EndBatch();
            return default;
        }
        return HandleSegmentsAsync(bytes);
    }

    private async ValueTask FinishAsync(ValueTask handling)
    {
        await handling.ConfigureAwait(false);
        EndBatch();
    }

    private async ValueTask HandleSegmentsAsync(ReadOnlySequence<byte> bytes)
    {
        foreach (var segment in bytes) await HandleSegmentAsync(segment).ConfigureAwait(false);
        EndBatch();
    }

    private void EndBatch()
    {
        Publisher.EndRun();
        _runningOn = 0;
        if (_replies.Length > 0)
        {
            Output.Send(_replies.WrittenSpan);
            if (_replies.Capacity > RequestParser.MaxLine) _replies.Dispose();
            _replies.Clear();
            return;
        }
        Output.Flush();
    }

    private ValueTask HandleSegmentAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            while (TryRun(ref bytes, out var running))
            {
                if (!running.IsCompletedSuccessfully) return ResumeAsync(running, bytes);
                _parser.Release();
            }
        }
        catch (RedisProtocolException error)
        {
            Fail(error);
        }
        return IsPublishing ? FinishPublishesAsync() : default;
    }

    private async ValueTask ResumeAsync(ValueTask running, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            do
            {
                if (!running.IsCompletedSuccessfully)
                {
                    await running.ConfigureAwait(false);
                    _runningOn = Environment.CurrentManagedThreadId;
                }
                _parser.Release();
            }
            while (TryRun(ref bytes, out running));
        }
        catch (RedisProtocolException error)
        {
            Fail(error);
        }
        if (IsPublishing) await FinishPublishesAsync().ConfigureAwait(false);
    }

    private bool TryRun(ref ReadOnlyMemory<byte> bytes, out ValueTask running)
    {
        running = default;
        if (_isClosing || _isGone || !_parser.TryRead(ref bytes)) return false;
        running = Run();
        return true;
    }

    private ValueTask Run()
    {
        var request = _parser.Request;
        if (request.Count == 0) return default;
        CommandStart = _replies.Length;
        var running = FrontEnd.Commands.Dispatch(this, request);
        if (!running.IsCompletedSuccessfully) return EndAsync(running);
        EndCommand();
        return default;
    }

    private async ValueTask EndAsync(ValueTask running)
    {
        await running.ConfigureAwait(false);
        EndCommand();
    }

    private void EndCommand()
    {
        if (ReplyMode != ReplyMode.On)
        {
            if (ReplyMode is ReplyMode.Off or ReplyMode.Skip) Reply.Truncate(Math.Min(CommandStart, _replies.Length));
            if (ReplyMode == ReplyMode.Skip) ReplyMode = ReplyMode.On;
            if (ReplyMode == ReplyMode.SkipNext) ReplyMode = ReplyMode.Skip;
        }
        if (!IsPublishing) WriteToSelf();
    }

    private void WriteToSelf()
    {
        if (_toSelf.Length == 0) return;
        Reply.Raw(_toSelf.WrittenSpan);
        _toSelf.Clear();
    }

    private void Fail(RedisProtocolException error)
    {
        // The rest of what it sent is anyone's guess.
        Reply.Error($"ERR Protocol error: {error.Message}");
        FrontEnd.Log.LogInformation("Closing Redis connection {Connection}: protocol error: {Reason}", Name, error.Message);
        Close();
    }

    /// <summary>Sees to it that what a request in parts takes is within what all may take together.</summary>
    private async ValueTask ChargeAsync()
    {
        var gathered = _parser.Gathered;
        if (gathered <= _charged)
        {
            if (gathered == 0 || gathered < _charged / 2)
            {
                FrontEnd.Gathered.Return(_charged - gathered);
                _charged = gathered;
            }
            return;
        }
        var more = gathered - _charged;
        var share = gathered > ByteBudget.LargeMessage ? BudgetShare.LargePublish : BudgetShare.Publish;
        if (!await FrontEnd.Gathered.TakeAsync(more, share, Patience, FrontEnd.Broker.Time, CancellationToken.None).ConfigureAwait(false))
            throw new ConnectionFailedException($"There was no memory for a request of more than {gathered} bytes for {Patience.TotalSeconds:0} s: other requests hold {FrontEnd.Gathered.Used} bytes.");
        _charged = gathered;
    }

    private void OnOutputFailed(string? reason)
    {
        _goneBecause ??= reason;
        _isGone = true;
        // Not on the thread of whoever publishes: the end of a connection is work.
        ThreadPool.UnsafeQueueUserWorkItem(static session =>
        {
            session._pipe.CancelPendingFlush();
            session._input.CancelPendingRead();
        }, this, preferLocal: false);
    }

    /// <summary>The connection in the words of <c>CLIENT LIST</c>.</summary>
    internal string Describe()
    {
        var now = FrontEnd.Broker.Time.GetUtcNow();
        var flags = Subscriptions.Total > 0 ? "P" : Queued.IsOpen ? "x" : "N";
        var text = new StringBuilder();
        text.Append("id=").Append(Id).Append(" addr=").Append(AddressOf(Remote)).Append(" laddr=").Append(AddressOf(Local)).Append(" fd=").Append(Id)
            .Append(" name=").Append(ClientName).Append(" age=").Append((long)(now - CreatedAt).TotalSeconds).Append(" idle=").Append((long)(now - LastActive).TotalSeconds)
            .Append(" flags=").Append(flags).Append(" db=").Append(Database.Number)
            .Append(" sub=").Append(Subscriptions.Count(SubscriptionKind.Channel)).Append(" psub=").Append(Subscriptions.Count(SubscriptionKind.Pattern)).Append(" ssub=").Append(Subscriptions.Count(SubscriptionKind.Shard))
            .Append(" multi=").Append(Queued.IsOpen ? Queued.Commands.Count : -1).Append(" watch=").Append(Queued.Watched.Count)
            .Append(" qbuf=").Append(_parser.Gathered).Append(" qbuf-free=0 argv-mem=0 multi-mem=").Append(Queued.Bytes)
            .Append(" rbs=0 rbp=0 obl=0 oll=0 omem=").Append(Output.Waiting).Append(" tot-mem=").Append(Output.Waiting + _parser.Gathered + Queued.Bytes)
            .Append(" events=r cmd=").Append(LastCommand).Append(" user=").Append(Identity.User ?? Access.RedisLogin.DefaultUser)
            .Append(" redir=-1 resp=").Append(Reply.Protocol).Append(" lib-name=").Append(LibraryName).Append(" lib-ver=").Append(LibraryVersion);
        return text.ToString();
    }

    internal static string AddressOf(EndPoint? endpoint) => endpoint is IPEndPoint ip ? ip.ToString() : $"{endpoint}:0";
}
