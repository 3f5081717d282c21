namespace Dragoman.Amqp.Sessions;

/// <summary>How far a connection is.</summary>
internal enum SessionState
{
    /// <summary>The client has sent nothing yet.</summary>
    AwaitingHeader,

    /// <summary>It shall log in.</summary>
    Starting,

    /// <summary>It shall settle the limits.</summary>
    Tuning,

    /// <summary>It shall choose a virtual host.</summary>
    Opening,

    /// <summary>It may open channels.</summary>
    Open,

    /// <summary>The server has closed it and waits for the client to have understood; all else is ignored.</summary>
    Closing,

    /// <summary>The client has closed it, and closes the socket when it is done: what it still had to send is ignored.</summary>
    Draining,

    /// <summary>Nothing more is read.</summary>
    Closed,
}
