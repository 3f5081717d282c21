using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Dragoman.Amqp.Access;
using Dragoman.Amqp.Messages;
using Dragoman.Amqp.Wire;
using Dragoman.Amqp.Wire.Methods;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Routing;
using Dragoman.Broker.Security;
using Dragoman.Broker.Statistics;
using Dragoman.Protocols;
using Dragoman.Protocols.Connections;
using Dragoman.Protocols.RabbitMq;
using Dragoman.Storage.Platform;
using Microsoft.Extensions.Logging;

namespace Dragoman.Amqp.Sessions;

/// <summary>
/// One connection: a loop that reads frames and handles them in order, and one that writes. What a read brings in is
/// gathered (publishes into batches, acknowledgements into settlements) and handed to the broker before the next read.
/// </summary>
public sealed class AmqpSession : IChannelSource, IDisposable
{
    /// <summary>What the counters of its channels count for, as RabbitMQ's metrics name it.</summary>
    internal const string CountedAs = "amqp091";

    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AcknowledgementInterval = TimeSpan.FromSeconds(5);
    private static readonly byte[] HeartbeatFrame = [(byte)FrameType.Heartbeat, 0, 0, 0, 0, 0, 0, FrameHeader.EndMark];

    private readonly PipeReader _input;
    private readonly PipeWriter _pipe;
    private readonly Dictionary<ushort, Channel> _channels = [];
    private readonly byte[] _scratch = new byte[FrameHeader.MinFrameMax];
    private ITimer? _timer;
    private readonly TimeProvider _time;
    private readonly TimeProvider _network;
    private readonly WakeSignal _resume = new();
    private readonly List<MessageHolder> _settling = [];
    private readonly List<Destination> _counted = [];
    private readonly Lock _channelsLock = new();
    private readonly ConcurrentQueue<Func<ValueTask>> _posted = new();

    /// <summary>The user that the connection and its channels are counted for; empty for none yet.</summary>
    private string _entered = "";

    /// <summary>Whether the connection is counted no longer.</summary>
    private bool _isOutside;

    private volatile bool _handling;
    private int _ticks;
    private long _lastRead;
    private long _now;
    private long _writtenAtTick;
    private long _deadline;
    private long _checked;
    private volatile bool _paused;
    private volatile bool _stopping;
    private volatile bool _writerFailed;
    private bool _stopped;
    private string? _ending;

    internal AmqpSession(AmqpFrontEnd frontEnd, IDuplexPipe transport, string name, EndPoint? remote, X509Certificate2? certificate, LiveConnection live)
    {
        Live = live;
        live.State = "starting";
        live.Channels = this;
        live.Closing = CloseFor;
        FrontEnd = frontEnd;
        Name = name;
        Remote = remote;
        Certificate = certificate;
        _input = transport.Input;
        _pipe = transport.Output;
        Output = new SessionOutput(_pipe) { Live = live };
        Counters = frontEnd.Broker.Statistics.Of(NamespaceName.Default);
        Publishes = new PublishBatcher(this);
        Destinations = new DestinationCache(this);
        _time = frontEnd.Broker.Time;
        FrameMax = frontEnd.Options.FrameMax;
        ChannelMax = (ushort)frontEnd.Options.ChannelMax;
        _network = frontEnd.Options.NetworkTime ?? _time;
        _lastRead = _network.GetTimestamp();
        _checked = _now = _time.GetTimestamp();
        _deadline = DeadlineAfter(frontEnd.Options.HandshakeTimeout);
        frontEnd.Clock.Add(this);
    }

    /// <summary>What the log calls the connection.</summary>
    public string Name { get; }

    internal AmqpFrontEnd FrontEnd { get; }

    /// <summary>What the connection is listed as.</summary>
    internal LiveConnection Live { get; }

    /// <summary>The counters of the namespace.</summary>
    internal MessageCounters Counters { get; private set; }

    internal EndPoint? Remote { get; }

    internal X509Certificate2? Certificate { get; }

    internal SessionOutput Output { get; }

    internal SessionState State { get; set; }

    /// <summary>What the client said of itself.</summary>
    internal FieldTable ClientProperties
    {
        get;
        set
        {
            field = value;
            Live.ClientProperties = FieldJson.Write(value);
            Live.ProvidedName = value.TryGet("connection_name", out var name) && name.Type == FieldType.LongString ? name.Text : null;
        }
    } = FieldTable.Empty;

    /// <summary>Who has logged in.</summary>
    internal AmqpUser User { get; set; } = null!;

    /// <summary>The virtual host as the client named it.</summary>
    internal string VirtualHost { get; set; } = VirtualHosts.Default;

    /// <summary>The namespace behind the virtual host.</summary>
    internal NamespaceName Namespace { get; set; } = NamespaceName.Default;

    /// <summary>The largest frame, as agreed.</summary>
    internal int FrameMax { get; set; }

    /// <summary>The highest channel number, as agreed.</summary>
    internal ushort ChannelMax { get; set; }

    /// <summary>Seconds between signs of life, as agreed; 0 for none.</summary>
    internal int HeartbeatSeconds { get; private set; }

    /// <summary>The channels that are open or about to be closed.</summary>
    internal IReadOnlyCollection<Channel> Channels => _channels.Values;

    /// <summary>Whether the client has ever published: then it is paused where there is no room for more.</summary>
    internal bool HasPublished { get; set; }

    /// <summary>What gathers publishes.</summary>
    internal PublishBatcher Publishes { get; }

    /// <summary>Where publishes go.</summary>
    internal DestinationCache Destinations { get; }

    /// <summary>Deliveries on their way out of a channel's table: only used within one call.</summary>
    internal List<UnackedTable.Entry> TakenDeliveries { get; } = [];

    /// <summary>The time of the read that is being handled, in milliseconds since 1970.</summary>
    internal long UnixNow { get; private set; }

    /// <summary>The same by the clock's timestamps; roughly now for others.</summary>
    internal long Now => Volatile.Read(ref _now);

    /// <summary>Serves until the client goes, does something wrong, or <see cref="Stop"/> is called.</summary>
    /// <param name="closed">Fires when the connection is gone.</param>
    public async Task RunAsync(CancellationToken closed = default)
    {
        var writing = WriteAsync();
        Exception? failure = null;
        using (closed.UnsafeRegister(static state => ((AmqpSession)state!).Abort(), this))
        {
            try
            {
                await ReadAsync().ConfigureAwait(false);
            }
            catch (Exception error) when (error is ConnectionFailedException or IOException or OperationCanceledException)
            {
                failure = error;
            }
            State = SessionState.Closed;
            Publishes.Flush();
            await ReleaseChannelsAsync().ConfigureAwait(false);
            await FrontEnd.OnSessionEndedAsync(this).ConfigureAwait(false);
            if (failure is not null) Output.Abort();
            else Output.End();
            failure = await writing.ConfigureAwait(false) ?? failure;
        }
        // This is the one place that closes a connection, and the one that says why.
        if (failure is ConnectionFailedException) FrontEnd.Log.LogWarning("Closing AMQP connection {Connection}: {Reason}", Name, failure.Message);
        else if (failure is not null) FrontEnd.Log.LogDebug(failure, "AMQP connection {Connection} is gone.", Name);
        FrontEnd.Clock.Remove(this);
        await _input.CompleteAsync().ConfigureAwait(false);
        await _pipe.CompleteAsync().ConfigureAwait(false);
        Dispose();
    }

    /// <summary>Tells the client that the server stops, and ends.</summary>
    public void Stop()
    {
        _stopping = true;
        Interrupt();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        FrontEnd.Clock.Remove(this);
        _timer?.Dispose();
        Output.Dispose();
    }

    /// <summary>The open channel of a number, or null.</summary>
    internal Channel? FindChannel(ushort number) => _channels.GetValueOrDefault(number);

    /// <summary>Opens the channel of a number.</summary>
    /// <exception cref="ConnectionException">The user may have no more of them.</exception>
    internal void AddChannel(ushort number)
    {
        FrontEnd.Occupancy.OpenChannel(_entered);
        var channel = new Channel(this, number);
        lock (_channelsLock) _channels.Add(channel.Number, channel);
    }

    /// <summary>Forgets a channel whose end both sides have seen.</summary>
    internal void RemoveChannel(Channel channel)
    {
        bool wasThere;
        lock (_channelsLock) wasThere = _channels.Remove(channel.Number);
        FrontEnd.Occupancy.CloseChannels(_entered, wasThere ? 1 : 0);
    }

    /// <summary>The connection enters a virtual host, if that and the user may have one more.</summary>
    /// <exception cref="ConnectionException">They may not.</exception>
    internal void EnterHost(string virtualHost, NamespaceName space)
    {
        FrontEnd.Occupancy.Enter(this, space, virtualHost);
        _entered = User.Name;
        VirtualHost = virtualHost;
        Namespace = space;
    }

    /// <summary>The connection leaves it; that it has left already is no matter.</summary>
    internal void LeaveHost()
    {
        if (_isOutside || _entered.Length == 0) return;
        _isOutside = true;
        FrontEnd.Occupancy.Leave(Namespace, _entered);
    }

    string IChannelSource.Protocol => CountedAs;

    int IChannelSource.Count => _channels.Count;

    /// <inheritdoc/>
    IReadOnlyList<MessageCounters> IChannelSource.Counters
    {
        get
        {
            lock (_channelsLock) return [.. _channels.Values.Select(static c => c.Counters)];
        }
    }

    /// <inheritdoc/>
    IReadOnlyList<LiveChannel> IChannelSource.List()
    {
        Channel[] channels;
        lock (_channelsLock) channels = [.. _channels.Values];
        var list = new List<LiveChannel>(channels.Length);
        foreach (var channel in channels)
            if (channel.IsOpen) list.Add(channel.Describe());
        list.Sort(static (a, b) => a.Number.CompareTo(b.Number));
        return list;
    }

    /// <summary>Takes in that a message was published, for the counters of its topic.</summary>
    internal void Count(Destination destination)
    {
        if (destination.Pending++ == 0) _counted.Add(destination);
    }

    /// <summary>Ends the connection because an operator wants that.</summary>
    private void CloseFor(string reason) => Post(() =>
    {
        if (State == SessionState.Open) BeginClose(ReplyCode.ConnectionForced, reason, default);
        else GiveUp(reason);
        return default;
    });

    /// <summary>Agrees on signs of life: one is due after half the time without anything else.</summary>
    internal void AgreeOnHeartbeat(int seconds)
    {
        HeartbeatSeconds = seconds;
        if (seconds != 1) return;
        var half = TimeSpan.FromMilliseconds(500);
        // Half of it is less than a second.
        _timer ??= _network.CreateTimer(static state => ((AmqpSession)state!).OnTimer(), this, half, half);
    }

    /// <summary>The handshake is over, so its time-out is.</summary>
    internal void OnOpened()
    {
        State = SessionState.Open;
        Counters = FrontEnd.Broker.Statistics.Of(Namespace);
        Live.Namespace = Namespace;
        Live.ChannelMax = ChannelMax;
        Live.FrameMax = FrameMax;
        Live.HeartbeatSeconds = HeartbeatSeconds;
        Live.State = "running";
        Volatile.Write(ref _deadline, long.MaxValue);
    }

    /// <summary>Ends the loop once the current frame is handled: both sides have said that they are done.</summary>
    internal void OnClosed() => State = SessionState.Closed;

    /// <summary>The client has said goodbye: it closes the socket when it has sent what it had begun to.</summary>
    internal void OnClientClosed()
    {
        State = SessionState.Draining;
        Volatile.Write(ref _deadline, DeadlineAfter(CloseTimeout));
    }

    /// <summary>Tells the client why the connection ends, and waits for it to have understood.</summary>
    internal void BeginClose(ReplyCode code, string text, MethodId method)
    {
        if (State is SessionState.Closing or SessionState.Draining or SessionState.Closed) return;
        FrontEnd.Log.LogWarning("Closing AMQP connection {Connection}: {Code} - {Reason}", Name, code.Name(), text);
        State = SessionState.Closing;
        Live.State = "closing";
        Observe(ReleaseChannelsAsync());
        Volatile.Write(ref _deadline, DeadlineAfter(CloseTimeout));
        Output.Send(0, new ConnectionClose { Code = (ushort)code, Text = $"{code.Name()} - {text}", ClassId = method.Class, MethodId = method.Method });
    }

    /// <summary>Hands over what was gathered, so that what follows comes after it.</summary>
    internal void Flush()
    {
        Publishes.Flush();
        if (_counted.Count > 0)
        {
            foreach (var destination in _counted) destination.FlushCounts();
            _counted.Clear();
        }
        if (_settling.Count == 0) return;
        foreach (var holder in _settling) holder.Flush();
        _settling.Clear();
    }

    /// <summary>Notes that something has settlements to hand over.</summary>
    internal void Settling(MessageHolder holder) => _settling.Add(holder);

    /// <summary>Lets the loop that reads run something between two frames.</summary>
    internal void Post(Func<ValueTask> action)
    {
        _posted.Enqueue(action);
        Interrupt();
    }

    /// <summary>Whether the client has announced a capability.</summary>
    internal bool Announces(string capability) =>
        ClientProperties.TryGet("capabilities", out var capabilities) && capabilities.Type == FieldType.Table
        && capabilities.Table.TryGet(capability, out var value) && value is { Type: FieldType.Boolean, Bits: not 0 };

    /// <summary>Checks that the user may do something.</summary>
    /// <param name="operation">What.</param>
    /// <param name="kind">With a queue or with an exchange.</param>
    /// <param name="name">With which.</param>
    /// <exception cref="ChannelException">The user may not.</exception>
    internal void Require(Operations operation, ResourceKind kind, string name)
    {
        if (User.Identity.Allows(operation, kind, Namespace, name)) return;
        var access = operation switch { Operations.Configure => "configure", Operations.Write => "write", _ => "read" };
        var thing = kind == ResourceKind.Queue ? "queue" : "exchange";
        throw Errors.Refused($"{access} access to {thing} '{name}' in vhost '{VirtualHost}' refused for user '{User.Name}'");
    }

    /// <summary>Checks that the user may use a routing key at an exchange whose routing keys have permissions.</summary>
    /// <exception cref="ChannelException">The user may not.</exception>
    internal void RequireKey(Operations operation, RoutingTopic exchange, string routingKey)
    {
        if (exchange.Facet.Type != ExchangeTypes.Topic || User.Identity.AllowsKey(operation, exchange.Name, routingKey)) return;
        throw Errors.KeyRefused(operation, routingKey, exchange.Name.Name, VirtualHost, User.Name);
    }

    internal void OnChannelError(Channel channel, ReplyCode code, string text) =>
        FrontEnd.Log.LogInformation("Closing channel {Channel} of AMQP connection {Connection}: {Code} - {Reason}", channel.Number, Name, code.Name(), text);

    /// <summary>Logs how something ends that nobody waits for.</summary>
    internal async void Observe(ValueTask task)
    {
        try
        {
            await task.ConfigureAwait(false);
        }
#pragma warning disable CA1031 // Nobody else would hear of it.
        catch (Exception error)
#pragma warning restore CA1031
        {
            FrontEnd.Log.LogError(error, "AMQP connection {Connection} failed.", Name);
        }
    }

    private void GiveUpQuietly()
    {
        _stopped = true;
        _writerFailed = true;
        Interrupt();
    }

    /// <summary>Ends the connection without a word.</summary>
    internal void GiveUp(string reason)
    {
        _ending = reason;
        Interrupt();
    }

    /// <summary>Lets go of all channels; what their clients have not settled goes back.</summary>
    internal async ValueTask ReleaseChannelsAsync()
    {
        Channel[] channels;
        lock (_channelsLock)
        {
            channels = [.. _channels.Values];
            _channels.Clear();
        }
        FrontEnd.Occupancy.CloseChannels(_entered, channels.Length);
        foreach (var channel in channels) await channel.ReleaseAsync().ConfigureAwait(false);
    }

    private async Task<Exception?> WriteAsync()
    {
        var failure = await Output.RunAsync().ConfigureAwait(false);
        // Nobody hears the answers any more.
        if (failure is null) return null;
        _writerFailed = true;
        Interrupt();
        return failure;
    }

    private void Abort()
    {
        Output.Abort();
        Interrupt();
    }

    private async Task ReadAsync()
    {
        if (!await ReadHeaderAsync().ConfigureAwait(false)) return;
        while (State != SessionState.Closed)
        {
            if (MustPause) await PauseAsync().ConfigureAwait(false);
            var result = await _input.ReadAsync().ConfigureAwait(false);
            if (_ending is not null && result.IsCanceled) throw new ConnectionFailedException($"The client was given up: {_ending}.");
            if (_writerFailed) return;
            if (_stopping && !_stopped)
            {
                _stopped = true;
                if (State != SessionState.Open) return;
                _input.AdvanceTo(result.Buffer.Start);
                BeginClose(ReplyCode.ConnectionForced, "broker forced connection closure with reason 'shutdown'", default);
                continue;
            }
            // The alarm may be younger than the wait.
            if (MustPause) await PauseAsync().ConfigureAwait(false);
            if (_writerFailed) return;
            var now = _time.GetTimestamp();
            Volatile.Write(ref _now, now);
            if (!result.IsCanceled) Volatile.Write(ref _lastRead, _network.GetTimestamp());
            UnixNow = _time.GetUtcNow().ToUnixTimeMilliseconds();
            var bytes = result.Buffer;
            var length = bytes.Length;
            if (State == SessionState.Draining)
            {
                _input.AdvanceTo(bytes.End);
                if (result.IsCompleted) return;
                continue;
            }
            try
            {
                _handling = true;
                bytes = await HandleAsync(bytes).ConfigureAwait(false);
            }
            finally
            {
                _handling = false;
                if (!result.IsCanceled) Volatile.Write(ref _lastRead, _network.GetTimestamp());
                if (length > bytes.Length) Live.OnReceived(length - bytes.Length);
                _input.AdvanceTo(bytes.Start, result.Buffer.End);
            }
            if (!result.IsCompleted) continue;
            // AMQP clients say goodbye; one that does not has crashed, or its network has.
            if (State == SessionState.Open) FrontEnd.Log.LogInformation("AMQP client {Connection} has gone without closing its connection.", Name);
            return;
        }
    }

    /// <summary>Whether there is no room for what this client is about to publish. What has begun to arrive gets its turn.</summary>
    private bool MustPause => HasPublished && State == SessionState.Open && FrontEnd.Alarms.Reason is not null && !IsGathering;

    private bool IsGathering
    {
        get
        {
            foreach (var channel in _channels.Values)
                if (channel.IsGathering) return true;
            return false;
        }
    }

    /// <summary>Reads nothing until there is room again, and tells a client that wants to know.</summary>
    private async ValueTask PauseAsync()
    {
        var wantsToKnow = Announces("connection.blocked");
        var reason = FrontEnd.Alarms.Reason ?? "";
        FrontEnd.Log.LogWarning("AMQP connection {Connection} is not read for now, because it publishes and the broker is {Reason}.", Name, reason);
        if (wantsToKnow) Output.Send(0, new ConnectionBlocked { Reason = reason });
        _paused = true;
        Live.State = "blocked";
        while (FrontEnd.Alarms.Reason is not null && !_writerFailed && !_stopping && _ending is null)
        {
            while (_posted.TryDequeue(out var posted)) await posted().ConfigureAwait(false);
            await _resume.WaitAsync().ConfigureAwait(false);
        }
        // Signs of life that nobody has read count from here.
        Volatile.Write(ref _lastRead, _network.GetTimestamp());
        _paused = false;
        Live.State = "running";
        if (wantsToKnow) Output.Send(0, default(ConnectionUnblocked));
    }

    /// <summary>Has the loop that reads look at what else there is.</summary>
    private void Interrupt()
    {
        _resume.Set();
        _input.CancelPendingRead();
    }

    /// <summary>Handles the frames that have wholly arrived.</summary>
    /// <returns>What is left.</returns>
    private async ValueTask<ReadOnlySequence<byte>> HandleAsync(ReadOnlySequence<byte> bytes)
    {
        try
        {
            while (State is not (SessionState.Closed or SessionState.Draining) && FrameParser.TryRead(ref bytes, FrameMax, out var header, out var payload))
            {
                var handling = Handle(header, payload);
                if (!handling.IsCompletedSuccessfully) await handling.ConfigureAwait(false);
            }
            Flush();
            while (_posted.TryDequeue(out var posted)) await posted().ConfigureAwait(false);
            await Publishes.WaitForRoomAsync().ConfigureAwait(false);
            await Output.WaitForRoomAsync().ConfigureAwait(false);
        }
        catch (AmqpWireException error)
        {
            if (State is SessionState.AwaitingHeader or SessionState.Starting) throw new ConnectionFailedException($"The client sent no AMQP: {error.Message}", error);
            BeginClose(error.Code, error.Message, default);
            // Where the next frame begins is anyone's guess.
            bytes = bytes.Slice(bytes.End);
        }
        return bytes;
    }

    private async Task<bool> ReadHeaderAsync()
    {
        while (true)
        {
            var result = await _input.ReadAsync().ConfigureAwait(false);
            var bytes = result.Buffer;
            if (result.IsCanceled) return false;
            if (bytes.Length >= ProtocolHeader.Size)
            {
                var header = bytes.Slice(0, ProtocolHeader.Size).ToArray();
                _input.AdvanceTo(bytes.GetPosition(ProtocolHeader.Size));
                if (ProtocolHeader.IsAccepted(header))
                {
                    State = SessionState.Starting;
                    Output.Send(0, Handshake.Start(this));
                    return true;
                }
                // AMQP says how to disagree: with the header that one would have liked.
                Output.SendRaw(ProtocolHeader.Bytes);
                FrontEnd.Log.LogWarning("Closing AMQP connection {Connection}: {Reason}", Name, Handshake.Guess(header));
                return false;
            }
            _input.AdvanceTo(bytes.Start, bytes.End);
            if (result.IsCompleted) return false;
        }
    }

    private ValueTask Handle(in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        switch (header.Type)
        {
            case FrameType.Method:
                return HandleMethod(header.Channel, payload);
            case FrameType.Heartbeat:
                if (header.Channel != 0) throw Unexpected(header);
                return default;
            case FrameType.Header or FrameType.Body:
                if (State == SessionState.Closing) return default;
                if (header.Channel == 0 || State != SessionState.Open) throw Unexpected(header);
                if (FindChannel(header.Channel) is not { } channel) throw new AmqpWireException(ReplyCode.ChannelError, "expected 'channel.open'");
                return HandleContent(channel, header, payload);
            default:
                throw new AmqpWireException(ReplyCode.FrameError, $"type {(byte)header.Type}, all octets = <<>>: unknown_frame");
        }
    }

    private ValueTask HandleContent(Channel channel, in FrameHeader header, in ReadOnlySequence<byte> payload)
    {
        if (channel.IsClosing) return default;
        try
        {
            var handling = header.Type == FrameType.Header ? channel.OnContentHeader(payload) : channel.OnContentBody(payload);
            return handling.IsCompletedSuccessfully ? default : Guarded(handling, channel, new MethodId(60, 40));
        }
        catch (Exception error) when (error is ChannelException or ConnectionException)
        {
            Fail(error, channel, new MethodId(60, 40));
            return default;
        }
    }

    private ValueTask HandleMethod(ushort number, in ReadOnlySequence<byte> payload)
    {
        if (payload.Length < sizeof(uint)) throw new AmqpWireException(ReplyCode.FrameError, "a method frame without a method");
        ReadOnlySpan<byte> span;
        if (payload.IsSingleSegment)
        {
            span = payload.FirstSpan;
        }
        else
        {
            var copy = payload.Length <= _scratch.Length ? _scratch.AsSpan(0, (int)payload.Length) : new byte[payload.Length];
            payload.CopyTo(copy);
            span = copy;
        }
        var id = new MethodId((ushort)(span[0] << 8 | span[1]), (ushort)(span[2] << 8 | span[3]));
        var channel = FindChannel(number);
        try
        {
            var handling = FrontEnd.Handlers.Dispatch(this, number, channel, id, span[sizeof(uint)..]);
            return handling.IsCompletedSuccessfully ? default : Guarded(handling, channel, id);
        }
        catch (Exception error) when (error is ChannelException or ConnectionException)
        {
            Fail(error, channel, id);
            return default;
        }
        catch (AmqpWireException error)
        {
            BeginClose(error.Code, error.Message, id);
            return default;
        }
    }

    private async ValueTask Guarded(ValueTask handling, Channel? channel, MethodId id)
    {
        try
        {
            await handling.ConfigureAwait(false);
        }
        catch (Exception error) when (error is ChannelException or ConnectionException)
        {
            Fail(error, channel, id);
        }
    }

    private void Fail(Exception error, Channel? channel, MethodId id)
    {
        if (error is ChannelException failed && channel is not null) channel.BeginClose(failed.Code, failed.Message, id);
        else BeginClose(error is ConnectionException fatal ? fatal.Code : ReplyCode.InternalError, error.Message, id);
    }

    private static AmqpWireException Unexpected(in FrameHeader header) =>
        new(ReplyCode.UnexpectedFrame, $"type {(byte)header.Type}, all octets = <<>>");

    private long DeadlineAfter(TimeSpan span) => _network.GetTimestamp() + (long)(span.TotalSeconds * _network.TimestampFrequency);

    /// <summary>A second has passed.</summary>
    internal void OnSecond()
    {
        if (_timer is null) OnTimer();
    }

    /// <summary>Once a second, or twice: signs of life, and those who do not give any.</summary>
    private void OnTimer()
    {
        var now = _network.GetTimestamp();
        if (now > Volatile.Read(ref _deadline))
        {
            if (State is SessionState.Closing or SessionState.Draining or SessionState.Closed)
            {
                GiveUpQuietly();
                return;
            }
            GiveUp($"it did not finish the handshake within {FrontEnd.Options.HandshakeTimeout.TotalSeconds:0} s");
            return;
        }
        if (State != SessionState.Open) return;
        Volatile.Write(ref _now, _time.GetTimestamp());
        if (_paused || MustPauseSoon) Interrupt();
        CheckAcknowledgements();
        if (HeartbeatSeconds > 0)
        {
            // Two intervals without anything are the end; half an interval without anything is time for a sign of life.
            if (_network.GetElapsedTime(Volatile.Read(ref _lastRead), now).TotalSeconds > 2 * HeartbeatSeconds + 1 && !_handling && !_paused)
            {
                GiveUp($"missed heartbeats from client, timeout: {HeartbeatSeconds}s");
                return;
            }
            if (++_ticks * 2 >= HeartbeatSeconds)
            {
                _ticks = 0;
                // The last sign of life itself does not count.
                var isQuiet = Output.Written <= _writtenAtTick;
                _writtenAtTick = Output.Written + (isQuiet ? HeartbeatFrame.Length : 0);
                if (isQuiet) Output.SendRaw(HeartbeatFrame);
            }
        }
    }

    private bool MustPauseSoon => HasPublished && FrontEnd.Alarms.Reason is not null;

    /// <summary>Every few seconds: clients that hold messages for too long.</summary>
    private void CheckAcknowledgements()
    {
        var now = Now;
        if (_time.GetElapsedTime(_checked, now) < AcknowledgementInterval) return;
        _checked = now;
        // The loop is only woken if there is something for it to do.
        lock (_channelsLock)
        {
            var any = false;
            foreach (var channel in _channels.Values) any |= channel.HoldsTooLong(now);
            if (!any) return;
        }
        Post(() =>
        {
            foreach (var channel in _channels.Values) channel.CheckAcknowledgements(Now);
            return default;
        });
    }

    /// <summary>How long a client may hold a message of a queue, by the clock's timestamps.</summary>
    internal long AcknowledgeWithin(IQueueHandle queue)
    {
        var own = queue.Settings.ConsumerTimeoutMs;
        var span = own >= 0 ? TimeSpan.FromMilliseconds(Math.Min(own, uint.MaxValue)) : FrontEnd.Options.ConsumerTimeout;
        return (long)(span.TotalSeconds * _time.TimestampFrequency);
    }
}
