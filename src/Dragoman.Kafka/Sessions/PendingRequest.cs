using System.Runtime.CompilerServices;
using Dragoman.Kafka.Handlers;
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

    /// <summary>Gives the request's memory back; nothing may refer to it any more.</summary>
    public void ReleaseFrame()
    {
        Body = default;
        _frame?.Dispose();
        _frame = null;
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
