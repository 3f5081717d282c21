using System.Runtime.CompilerServices;
using Dragoman.Broker.Quotas;
using Dragoman.Kafka.Handlers;
using Dragoman.Kafka.Quotas;
using Dragoman.Kafka.Wire;
using Dragoman.Protocols.Framing;

namespace Dragoman.Kafka.Sessions;

/// <summary>A request from its arrival until its answer is written.</summary>
internal sealed class PendingRequest : PendingResponse
{
    private readonly Action _onHandled;
    private ConfiguredValueTaskAwaitable.ConfiguredValueTaskAwaiter _handling;
    private Frame? _frame;

    public PendingRequest(KafkaSession session)
    {
        Session = session;
        _onHandled = OnHandled;
    }

    /// <summary>The connection it came by.</summary>
    public KafkaSession Session { get; }

    /// <summary>The front end.</summary>
    public KafkaFrontEnd FrontEnd => Session.FrontEnd;

    /// <summary>The broker.</summary>
    public Broker.Broker Broker => Session.FrontEnd.Broker;

    /// <summary>Which request it is, and in which version.</summary>
    public RequestHeader Header { get; private set; }

    /// <summary>The request's version.</summary>
    public short Version => Header.ApiVersion;

    /// <summary>What handles it.</summary>
    public RequestHandler? Handler { get; private set; }

    /// <summary>The body, valid until <see cref="ReleaseFrame"/>.</summary>
    public ReadOnlyMemory<byte> Body { get; private set; }

    /// <summary>The answer; null where the protocol wants none.</summary>
    public object? Response { get; set; }

    /// <summary>The version to write the answer in.</summary>
    public short ResponseVersion { get; set; }

    /// <summary>Whether the answer's records are to be written step by step.</summary>
    public bool StreamsRecords { get; set; }

    /// <summary>What the answer needs until it is written.</summary>
    public IDisposable? Resources { get; set; }

    /// <summary>Why the connection has to be closed instead of answering.</summary>
    public Exception? Failure { get; set; }

    public void Begin(Frame frame, in RequestHeader header, int headerLength, RequestHandler handler)
    {
        _frame = frame;
        Session.Hold(frame.Length);
        Header = header;
        Handler = handler;
        Body = frame.Memory[headerLength..];
        ResponseVersion = header.ApiVersion;
    }

    /// <summary>Has the request handled: in place up to where it has to wait. Its end, whatever it is, makes it ready.</summary>
    public void Handle()
    {
        // The continuation may run, and the object be in use for another request, before this method returns.
#pragma warning disable CA2012 // It is consumed once, by OnHandled: awaiting it here would allocate for each request.
        var handling = Handler!.HandleAsync(this).ConfigureAwait(false).GetAwaiter();
#pragma warning restore CA2012
        _handling = handling;
        if (handling.IsCompleted) OnHandled();
        else handling.UnsafeOnCompleted(_onHandled);
    }

    private void OnHandled()
    {
        Exception? failure = null;
        try
        {
            _handling.GetResult();
        }
#pragma warning disable CA1031 // Whatever goes wrong with one client's request must not reach the others; the session sees to it.
        catch (Exception error)
#pragma warning restore CA1031
        {
            failure = error;
        }
        _handling = default;
        Session.OnHandled(this, failure);
    }

    /// <summary>What the client calls itself.</summary>
    public string ClientId => Header.ClientId ?? "";

    /// <summary>Counts bytes against the client's quota, and has its next request wait where that was too much.</summary>
    /// <returns>How long, in milliseconds, for the answer.</returns>
    public int Record(QuotaKind kind, long bytes) =>
        Broker.Quotas.Any ? Throttle(Broker.Quotas.Record(kind, Session.QuotaUser, ClientId, bytes)) : 0;

    /// <summary>Counts partitions that are created or deleted against the client's quota, and has its next request wait where that was too much.</summary>
    /// <param name="partitions">How many.</param>
    /// <param name="strict">Whether the client understands that it is refused instead.</param>
    /// <exception cref="KafkaRequestException">The client has changed too much already; it may try again later.</exception>
    public int TakeChanges(int partitions, bool strict)
    {
        if (!Broker.Quotas.Any) return 0;
        var (allowed, wait) = Broker.Quotas.TakeChanges(Session.QuotaUser, ClientId, partitions, strict);
        var milliseconds = Throttle(wait);
        if (!allowed) throw new QuotaExceededException(milliseconds);
        return milliseconds;
    }

    private int Throttle(TimeSpan wait)
    {
        if (wait <= TimeSpan.Zero) return 0;
        Session.Mute(wait);
        return (int)Math.Clamp(wait.TotalMilliseconds, 1, int.MaxValue);
    }

    /// <summary>Gives the request's memory back; nothing may refer to it any more.</summary>
    public void ReleaseFrame()
    {
        Body = default;
        if (_frame is not { } frame) return;
        _frame = null;
        Session.LetGo(frame.Length);
        frame.Dispose();
    }

    /// <summary>Makes the object ready for another request.</summary>
    public void Reset()
    {
        ReleaseFrame();
        Resources?.Dispose();
        Resources = null;
        Response = null;
        Failure = null;
        StreamsRecords = false;
        Handler = null;
    }
}
