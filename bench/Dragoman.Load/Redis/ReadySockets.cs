using System.ComponentModel;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Dragoman.Load.Redis;

/// <summary>
/// Waits for many sockets and reads from them with as little work of its own as there can be (epoll), so that what is
/// measured is the server. Linux alone has it, as it has the redis-server to compare with.
/// </summary>
internal sealed unsafe partial class ReadySockets : IDisposable
{
    private const int MaxEvents = 256;
    private const int Readable = 1;
    private const int DontWait = 0x40;
    private const int WouldBlock = 11;

    // The kernel packs epoll_event on x86-64 alone.
    private static readonly int DataOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;

    private readonly int _epoll = Check(epoll_create1(0));
    private readonly byte[] _events = GC.AllocateUninitializedArray<byte>(MaxEvents * 16, pinned: true);

    /// <summary>Waits for a socket too.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="number">What <see cref="this"/> calls it.</param>
    public void Add(Socket socket, int number)
    {
        var added = stackalloc byte[16];
        *(int*)added = Readable;
        *(long*)(added + DataOffset) = number;
        Check(epoll_ctl(_epoll, 1, Descriptor(socket), added));
    }

    /// <summary>Waits until there is something to read somewhere.</summary>
    /// <param name="milliseconds">How long at most.</param>
    /// <returns>How many sockets have something.</returns>
    public int Wait(int milliseconds)
    {
        fixed (byte* events = _events) return Math.Max(0, epoll_wait(_epoll, events, MaxEvents, milliseconds));
    }

    /// <summary>The number of a socket that has something.</summary>
    public int this[int index] => (int)BitConverter.ToInt64(_events, index * (DataOffset + sizeof(long)) + DataOffset);

    /// <summary>Reads what is there.</summary>
    /// <returns>How many bytes; 0 if none after all.</returns>
    public static int Receive(int descriptor, byte[] buffer)
    {
        fixed (byte* bytes = buffer)
        {
            var count = (int)recv(descriptor, bytes, buffer.Length, DontWait);
            if (count == 0) throw new IOException("The server has closed a connection.");
            if (count > 0) return count;
            return Marshal.GetLastPInvokeError() == WouldBlock ? 0 : throw new Win32Exception();
        }
    }

    /// <summary>What the system calls a socket.</summary>
    public static int Descriptor(Socket socket) => (int)socket.SafeHandle.DangerousGetHandle();

    public void Dispose() => _ = close(_epoll);

    private static int Check(int result) => result >= 0 ? result : throw new Win32Exception();

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_create1(int flags);

    [LibraryImport("libc", SetLastError = true)]
    private static partial int epoll_ctl(int epoll, int operation, int descriptor, byte* settings);

    [LibraryImport("libc")]
    private static partial int epoll_wait(int epoll, byte* events, int count, int timeout);

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint recv(int socket, byte* target, nint length, int flags);

    [LibraryImport("libc")]
    private static partial int close(int descriptor);
}
