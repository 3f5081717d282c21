using System.Runtime.InteropServices;

namespace Dragoman.Protocols.Transport.Loops;

/// <summary>What may happen to a socket: epoll(7).</summary>
[Flags]
internal enum Readiness : uint
{
    None = 0,
    Readable = 0x1,
    Writable = 0x4,
    Error = 0x8,
    HangUp = 0x10,
    PeerClosed = 0x2000,
}

/// <summary>The system calls of the loops. Linux alone has them.</summary>
internal static unsafe partial class Epoll
{
    public const int Add = 1;
    public const int Delete = 2;
    public const int Modify = 3;

    public const int WouldBlock = 11;
    public const int Interrupted = 4;

    private const int CloseOnExec = 0x80000;
    private const int NonBlocking = 0x800;
    private const int DontWait = 0x40;
    private const int NoSignal = 0x4000;

    // The kernel packs epoll_event on x86-64 alone.
    private static readonly int DataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    /// <summary>Bytes of an event.</summary>
    public static readonly int EventSize = DataOffset + sizeof(ulong);

    public static int Create() => Checked(epoll_create1(CloseOnExec), "epoll_create1");

    public static int CreateEvent() => Checked(eventfd(0, CloseOnExec | NonBlocking), "eventfd");

    /// <summary>Says what to wait for.</summary>
    /// <returns>False if the socket is not there any more.</returns>
    public static bool Control(int epoll, int operation, int socket, Readiness wanted, ulong data)
    {
        var bytes = stackalloc byte[16];
        *(uint*)bytes = (uint)wanted;
        *(ulong*)(bytes + DataOffset) = data;
        return epoll_ctl(epoll, operation, socket, bytes) == 0;
    }

    /// <summary>Waits; -1 if a signal came in between.</summary>
    public static int Wait(int epoll, byte* events, int count, int timeout) => epoll_wait(epoll, events, count, timeout);

    /// <summary>Reads an event.</summary>
    public static (Readiness Ready, ulong Data) Event(byte* events, int index)
    {
        var at = events + index * EventSize;
        return (*(Readiness*)at, *(ulong*)(at + DataOffset));
    }

    /// <summary>Receives what is there; -1 with the error if that is nothing.</summary>
    public static int Receive(int socket, Span<byte> target, out int error)
    {
        fixed (byte* bytes = target)
        {
            var received = (int)recv(socket, bytes, target.Length, DontWait);
            error = received < 0 ? Marshal.GetLastPInvokeError() : 0;
            return received;
        }
    }

    /// <summary>Sends as much as fits; -1 with the error if that is nothing.</summary>
    public static int Send(int socket, ReadOnlySpan<byte> source, out int error)
    {
        fixed (byte* bytes = source)
        {
            var sent = (int)send(socket, bytes, source.Length, DontWait | NoSignal);
            error = sent < 0 ? Marshal.GetLastPInvokeError() : 0;
            return sent;
        }
    }

    public static void Signal(int descriptor)
    {
        ulong one = 1;
        // That it is signalled already is as good.
        _ = write(descriptor, (byte*)&one, sizeof(ulong));
    }

    public static void Clear(int descriptor)
    {
        ulong value;
        _ = read(descriptor, (byte*)&value, sizeof(ulong));
    }

    public static void Close(int descriptor) => _ = close(descriptor);

    private static int Checked(int result, string call) =>
        result >= 0 ? result : throw new IOException($"{call} failed: {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int eventfd(uint initial, int flags);

    [LibraryImport("libc")]
    private static partial int epoll_ctl(int epoll, int operation, int descriptor, byte* settings);

    [LibraryImport("libc")]
    private static partial int epoll_wait(int epoll, byte* events, int count, int timeout);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recv(int socket, byte* target, nint length, int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint send(int socket, byte* source, nint length, int flags);

    [LibraryImport("libc")]
    private static partial nint read(int descriptor, byte* target, nint length);

    [LibraryImport("libc")]
    private static partial nint write(int descriptor, byte* source, nint length);

    [LibraryImport("libc")]
    private static partial int close(int descriptor);
}
