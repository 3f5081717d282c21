using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Dragoman.Faults.Hostile.Redis;

/// <summary>A connection of the Redis protocol that does no more than it is told to.</summary>
internal sealed class RawRedis : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private byte[] _buffer = new byte[512];
    private int _start;
    private int _end;

    public static async Task<RawRedis> ConnectAsync(IPEndPoint server)
    {
        var client = new RawRedis();
        await client._socket.ConnectAsync(server);
        return client;
    }

    public async Task SendAsync(params string[] words)
    {
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"*{words.Length}\r\n");
        foreach (var word in words) text.Append(CultureInfo.InvariantCulture, $"${word.Length}\r\n{word}\r\n");
        await _socket.SendAsync(Encoding.ASCII.GetBytes(text.ToString()).AsMemory());
    }

    public async Task SubscribeAsync(string channel)
    {
        await SendAsync("SUBSCRIBE", channel);
        await ReadReplyAsync();
    }

    /// <summary>Publishes; returns how many heard it.</summary>
    public async Task<int> PublishAsync(string channel, byte[] payload)
    {
        byte[] request = [.. Encoding.ASCII.GetBytes($"*3\r\n$7\r\nPUBLISH\r\n${channel.Length}\r\n{channel}\r\n${payload.Length}\r\n"), .. payload, .. "\r\n"u8];
        await _socket.SendAsync(request.AsMemory());
        return int.Parse((await ReadLineAsync())[1..], CultureInfo.InvariantCulture);
    }

    /// <summary>Reads a message of a channel.</summary>
    public async Task<bool> ReadMessageAsync(string channel, int bytes)
    {
        var head = $"*3\r\n$7\r\nmessage\r\n${channel.Length}\r\n{channel}\r\n${bytes}\r\n";
        var message = await TakeAsync(head.Length + bytes + 2);
        Assert.Equal(head, Encoding.ASCII.GetString(message.AsSpan(0, head.Length)));
        return true;
    }

    /// <summary>Reads a reply with all that is in it.</summary>
    public async Task ReadReplyAsync()
    {
        var line = await ReadLineAsync();
        var number = line[0] is '*' or '$' ? int.Parse(line[1..], CultureInfo.InvariantCulture) : 0;
        if (line[0] == '$') await TakeAsync(number + 2);
        else for (var i = 0; i < number; i++) await ReadReplyAsync();
    }

    public void Dispose() => _socket.Dispose();

    private async Task<string> ReadLineAsync()
    {
        int end;
        while ((end = _buffer.AsSpan(_start, _end - _start).IndexOf("\r\n"u8)) < 0) await FillAsync();
        var line = Encoding.ASCII.GetString(_buffer, _start, end);
        _start += end + 2;
        return line;
    }

    private async Task<byte[]> TakeAsync(int count)
    {
        while (_end - _start < count) await FillAsync();
        var taken = _buffer.AsSpan(_start, count).ToArray();
        _start += count;
        return taken;
    }

    private async Task FillAsync()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }
        if (_end == _buffer.Length) Array.Resize(ref _buffer, 2 * _end);
        var received = await _socket.ReceiveAsync(_buffer.AsMemory(_end)).AsTask().WaitAsync(Patience);
        if (received == 0) throw new IOException("The server has closed the connection.");
        _end += received;
    }
}
