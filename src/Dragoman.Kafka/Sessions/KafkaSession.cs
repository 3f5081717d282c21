using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Runtime.CompilerServices;
using System.Security.Cryptography.X509Certificates;
using Dragoman.Kafka.Handlers;
using Dragoman.Kafka.Wire;
using Dragoman.Protocols;
using Dragoman.Protocols.Authentication;
using Dragoman.Protocols.Connections;
using Dragoman.Protocols.Framing;
using Dragoman.Storage.Platform;
using Microsoft.Extensions.Logging;

namespace Dragoman.Kafka.Sessions;

/// <summary>
/// One connection: a loop that reads requests, and one that writes answers in the same order. Produce requests overlap,
/// each appended before the next is looked at; any other request begins when those before it are answered, as in
/// Kafka, so that a client sees its own writes.
/// </summary>
public sealed class KafkaSession : IDisposable
{
    private const int PooledRequests = 16;

    private readonly PipeReader _input;
    private readonly PipeWriter _output;
    private static readonly BareSaslHandler BareSasl = new();

    private readonly FrameRules _rules;
    private readonly FrameReader _frames;
    private readonly ResponseQueue _responses = new();
    private readonly ResponseWriter _writer;
    private readonly CancellationTokenSource _ended = new();
    private readonly ObjectPool<PendingRequest> _pool = new(PooledRequests);
    private volatile bool _stopping;
    private long _heldBytes;
    private DateTimeOffset? _authenticatedUntil;
    private long _mutedUntil;

    internal KafkaSession(KafkaFrontEnd frontEnd, IDuplexPipe transport, string name, IPEndPoint? local, IPEndPoint? remote, X509Certificate2? certificate, LiveConnection live)
    {
        Live = live;
        FrontEnd = frontEnd;
        Name = name;
        Local = local;
        // As Kafka spells it: Java puts a slash before an address that it has no name for.
        ClientHost = $"/{(remote?.Address is { IsIPv4MappedToIPv6: true } mapped ? mapped.MapToIPv4() : remote?.Address)}";
        _input = transport.Input;
        _output = transport.Output;
        _rules = new FrameRules(frontEnd.Options);
        _frames = new FrameReader(_input, _rules, frontEnd.Budget, frontEnd.Broker.Time);
        var host = ClientHost.Length > 1 ? ClientHost[1..] : "127.0.0.1";
        Identity = frontEnd.Authenticator.FromCertificate(certificate, host) ?? frontEnd.Authenticator.Anonymous(host);
        live.User = Identity.User;
        _writer = new ResponseWriter(_output, live);
    }

    /// <summary>What the log calls the connection.</summary>
    public string Name { get; }

    internal KafkaFrontEnd FrontEnd { get; }

    /// <summary>What the connection is listed as.</summary>
    internal LiveConnection Live { get; }

    /// <summary>The address that the client reached.</summary>
    internal IPEndPoint? Local { get; }

    /// <summary>Who the client is.</summary>
    internal ClientIdentity Identity { get; private set; }

    /// <summary>The SASL exchange that is under way; null if none is.</summary>
    internal SaslExchange? Sasl { get; private set; }

    /// <summary>Begins a SASL exchange.</summary>
    internal void BeginSasl(string mechanism, bool bare)
    {
        Sasl = new SaslExchange(FrontEnd.Authenticator, mechanism, Identity.Host);
        _rules.IsBare = bare;
    }

    /// <summary>Ends a SASL exchange, by which the client has become somebody, or has not.</summary>
    internal void EndSasl(ClientIdentity? identity, DateTimeOffset? expires)
    {
        Sasl = null;
        _rules.IsBare = false;
        // Whoever proves to be somebody else in the middle of a connection is that one from then on; Kafka would close.
        if (identity is null) return;
        Identity = identity;
        Live.User = identity.User;
        _authenticatedUntil = expires;
    }

    /// <summary>Reads no further request; what was answered still goes out.</summary>
    internal void CloseAfterAnswers() => _stopping = true;

    /// <summary>Where the client connects from, as groups show it.</summary>
    internal string ClientHost { get; }

    /// <summary>Fires when nobody waits for answers any more.</summary>
    internal CancellationToken Ended => _ended.Token;

    /// <summary>Who the client is, to quotas: Kafka's name for everybody, until it says who it is.</summary>
    internal string QuotaUser => Identity.User ?? "ANONYMOUS";

    /// <summary>What Fetch requests of this connection share; there is one at a time.</summary>
    internal FetchOperation? Fetches { get; set; }

    /// <summary>Serves until the client goes, does something wrong, or <see cref="Stop"/> is called.</summary>
    /// <param name="closed">Fires when the connection is gone.</param>
    public async Task RunAsync(CancellationToken closed = default)
    {
        var writing = WriteAsync();
        Exception? failure = null;
        using (closed.UnsafeRegister(static state => ((KafkaSession)state!).End(), this))
        {
            try
            {
                await ReadAsync().ConfigureAwait(false);
            }
            catch (Exception error) when (error is ConnectionFailedException or IOException or OperationCanceledException)
            {
                failure = error;
            }
            End();
            _responses.EndRequests();
            failure = await writing.ConfigureAwait(false) ?? failure;
        }
        // This is the one place that closes a connection, and the one that says why.
        if (failure is ConnectionFailedException) FrontEnd.Log.LogWarning("Closing connection {Connection}: {Reason}", Name, failure.Message);
        else if (failure is not null) FrontEnd.Log.LogDebug(failure, "Connection {Connection} is gone.", Name);
        await _input.CompleteAsync().ConfigureAwait(false);
        await _output.CompleteAsync().ConfigureAwait(false);
        Dispose();
    }

    /// <summary>Lets the requests that have arrived finish, and then ends.</summary>
    public void Stop()
    {
        _stopping = true;
        End();
        _input.CancelPendingRead();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Fetches?.Dispose();
        _ended.Dispose();
    }

    private void End()
    {
        try
        {
            _ended.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The connection ended on its own just now.
        }
    }

    /// <summary>Has the client's next request wait: answers go out at once, and say how long (KIP-219).</summary>
    internal void Mute(TimeSpan time)
    {
        var clock = FrontEnd.Broker.Time;
        var until = clock.GetTimestamp() + (long)(time.TotalSeconds * clock.TimestampFrequency);
        for (var known = Volatile.Read(ref _mutedUntil); until > known;)
        {
            var seen = Interlocked.CompareExchange(ref _mutedUntil, until, known);
            if (seen == known) return;
            known = seen;
        }
    }

    /// <summary>Waits until the client may go on; false if it has gone meanwhile.</summary>
    private ValueTask<bool> WaitWhileMutedAsync() => Volatile.Read(ref _mutedUntil) == 0 ? ValueTask.FromResult(true) : WaitAsync();

    private async ValueTask<bool> WaitAsync()
    {
        var clock = FrontEnd.Broker.Time;
        while (Volatile.Read(ref _mutedUntil) is var until and not 0)
        {
            var left = clock.GetElapsedTime(clock.GetTimestamp(), until);
            if (left <= TimeSpan.Zero)
            {
                Interlocked.CompareExchange(ref _mutedUntil, 0, until);
                continue;
            }
            try
            {
                await Task.Delay(left, clock, _ended.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }
        return true;
    }

    /// <summary>Notes that a request holds bytes.</summary>
    internal void Hold(int bytes) => Interlocked.Add(ref _heldBytes, bytes);

    /// <summary>Notes that it does not any longer.</summary>
    internal void LetGo(int bytes) => Interlocked.Add(ref _heldBytes, -bytes);

    /// <summary>Waits until the connection's requests leave room for another; false if answers can no longer be written.</summary>
    private ValueTask<bool> WaitForRoomAsync() => Interlocked.Read(ref _heldBytes) <= FrontEnd.Options.MaxInFlightBytes ? ValueTask.FromResult(true) : WaitForAnswersAsync();

    private async ValueTask<bool> WaitForAnswersAsync()
    {
        while (Interlocked.Read(ref _heldBytes) > FrontEnd.Options.MaxInFlightBytes)
            if (!await _responses.WaitUntilAtMostAsync(_responses.Count / 2).ConfigureAwait(false)) return false;
        return true;
    }

    private async Task ReadAsync()
    {
        var overlapping = false;
        while (!_stopping && await WaitForRoomAsync().ConfigureAwait(false) && await _frames.ReadAsync(default).ConfigureAwait(false) is { } frame)
        {
            Live.OnReceived(sizeof(int) + frame.Length);
            // The answer before this request may have been too much only now.
            if (!await WaitWhileMutedAsync().ConfigureAwait(false))
            {
                frame.Dispose();
                return;
            }
            if (!_pool.TryTake(out var request)) request = new PendingRequest(this);
            var mayOverlap = Begin(request, frame);
            var unanswered = mayOverlap && overlapping ? FrontEnd.Options.MaxInFlight - 1 : 0;
            if (!await _responses.WaitUntilAtMostAsync(unanswered).ConfigureAwait(false))
            {
                request.Reset();
                return;
            }
            overlapping = mayOverlap;
            _responses.Add(request);
            // Runs in place up to where it has to wait; its end is what the writing loop waits for.
            request.Handle();
            if (!await WaitWhileMutedAsync().ConfigureAwait(false)) return;
        }
    }

    private bool Begin(PendingRequest request, Frame frame)
    {
        try
        {
            if (_rules.IsBare)
            {
                request.Begin(frame, default, 0, BareSasl);
                return false;
            }
            var reader = new KafkaReader(new ReadOnlySequence<byte>(frame.Memory));
            var header = RequestHeader.Read(ref reader);
            if (MustLogInFirst(header.ApiKey))
                throw new ConnectionFailedException($"The client sent {header.ApiKey} without having logged in. Set security.protocol=SASL_PLAINTEXT or SASL_SSL, and its credentials, in the client.");
            if (!FrontEnd.Handlers.TryGet(header, out var handler))
                throw new ConnectionFailedException($"Request {header.ApiKey} in version {header.ApiVersion} is not served. Is the client much older, or newer, than Kafka 2.1 to 4?");
            request.Begin(frame, header, (int)(frame.Length - reader.Remaining), handler);
            return handler.MayOverlap;
        }
        catch (Exception error)
        {
            frame.Dispose();
            if (error is KafkaWireException) throw new ConnectionFailedException($"The client sent no Kafka request: {error.Message}", error);
            throw;
        }
    }

    private bool MustLogInFirst(ApiKey key)
    {
        if (key is ApiKey.ApiVersions or ApiKey.SaslHandshake or ApiKey.SaslAuthenticate) return false;
        if (Identity.User is null) return FrontEnd.Authenticator.RequiresLogin;
        if (_authenticatedUntil is { } until && FrontEnd.Broker.Time.GetUtcNow() >= until)
            throw new ConnectionFailedException("The client's token has expired, and it has not authenticated anew (KIP-368).");
        return false;
    }

    /// <summary>Takes in how a request's handling ended.</summary>
    internal void OnHandled(PendingRequest request, Exception? error)
    {
        request.Failure = error switch
        {
            null or ConnectionFailedException or OperationCanceledException => error,
            KafkaWireException => new ConnectionFailedException($"The client sent a malformed {request.Header.ApiKey} request, version {request.Version}: {error.Message}", error),
            _ => Unexpected(request, error),
        };
        request.ReleaseFrame();
        request.SetReady();
    }

    private ConnectionFailedException Unexpected(PendingRequest request, Exception error)
    {
        FrontEnd.Log.LogError(error, "{Request} version {Version} of connection {Connection} failed.", request.Header.ApiKey, request.Version, Name);
        return new ConnectionFailedException($"{request.Header.ApiKey} failed: {error.Message}", error);
    }

    /// <summary>Writes answers; once that is impossible, waits for requests that are under way and drops their answers.</summary>
    /// <returns>Why the connection had to be given up, if it had.</returns>
    private async Task<Exception?> WriteAsync()
    {
        Exception? failure = null;
        while (true)
        {
            var request = (PendingRequest?)_responses.TryNext();
            if (request is null)
            {
                if (failure is null && _writer.Unflushed > 0)
                {
                    failure = await FlushAsync().ConfigureAwait(false);
                    continue;
                }
                request = (PendingRequest?)await _responses.NextAsync().ConfigureAwait(false);
                if (request is null) return failure;
            }
            failure ??= await WriteAsync(request).ConfigureAwait(false);
            // The next request may begin, and use what this one has used, as soon as the queue is told.
            request.Reset();
            _responses.Remove();
            _pool.Return(request);
            if (failure is null) continue;
            // Nobody hears the answers any more, so no further request is worth reading.
            _responses.EndAnswers();
            End();
            _input.CancelPendingRead();
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Exception?> WriteAsync(PendingRequest request)
    {
        if (request.Failure is { } failure)
        {
            // What was answered before still goes out.
            return await FlushAsync().ConfigureAwait(false) ?? failure;
        }
        if (request.Response is null) return null;
        try
        {
            return await _writer.WriteAsync(request).ConfigureAwait(false) ? null : Gone();
        }
        catch (Exception error) when (error is IOException or KafkaWireException or OperationCanceledException)
        {
            return new ConnectionFailedException($"The answer to {request.Header.ApiKey} could not be written: {error.Message}", error);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<Exception?> FlushAsync()
    {
        try
        {
            return await _writer.FlushAsync().ConfigureAwait(false) ? null : Gone();
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            return error;
        }
    }

    private static IOException Gone() => new("The client does not read any more.");
}
