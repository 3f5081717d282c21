using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Dragoman.Load.Sqs;

/// <summary>One connection of a client that speaks SQS' JSON protocol over a plain socket, one request at a time.</summary>
internal sealed class SqsConnection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly string _host;
    private byte[] _buffer = new byte[16 << 10];
    private int _length;

    public SqsConnection(IPEndPoint server)
    {
        _host = server.ToString();
        _socket.Connect(server);
    }

    public Socket Socket => _socket;

    /// <summary>A whole request, with the headers that an SDK sends.</summary>
    public byte[] Request(string operation, string body) => Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"POST / HTTP/1.1\r\nHost: {_host}\r\nContent-Type: application/x-amz-json-1.0\r\nX-Amz-Target: AmazonSQS.{operation}\r\nX-Amz-Date: 20260101T000000Z\r\nUser-Agent: load\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/sqs/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature={new string('0', 64)}\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}"));

    public void Send(ReadOnlySpan<byte> request)
    {
        while (!request.IsEmpty) request = request[_socket.Send(request)..];
    }

    /// <summary>Reads what has come; whether the answer is whole, and its body.</summary>
    /// <exception cref="IOException">The server has closed the connection, or refused the request.</exception>
    public bool TryReceive(out ReadOnlySpan<byte> body)
    {
        if (_length == _buffer.Length) Array.Resize(ref _buffer, 2 * _buffer.Length);
        var count = _socket.Receive(_buffer.AsSpan(_length));
        return Add(count, out body);
    }

    /// <summary>Waits for the whole answer, and gives its body.</summary>
    public string Receive()
    {
        ReadOnlySpan<byte> body;
        while (!TryReceive(out body))
        {
        }
        return Encoding.UTF8.GetString(body);
    }

    /// <summary>Waits for the whole answer.</summary>
    public async Task<string> ReceiveAsync(CancellationToken cancellation)
    {
        while (true)
        {
            if (_length == _buffer.Length) Array.Resize(ref _buffer, 2 * _buffer.Length);
            var count = await _socket.ReceiveAsync(_buffer.AsMemory(_length), cancellation);
            if (Add(count, out var body)) return Encoding.UTF8.GetString(body);
        }
    }

    /// <summary>Sends a request and waits for the body of its answer.</summary>
    public string Call(string operation, string body)
    {
        Send(Request(operation, body));
        return Receive();
    }

    /// <summary>Makes a queue, and returns its URL.</summary>
    public string CreateQueue(string name) => Text(Encoding.UTF8.GetBytes(Call("CreateQueue", $$"""{"QueueName":"{{name}}"}""")), "\"QueueUrl\""u8) ?? throw new IOException("The answer names no queue.");

    /// <summary>The first text of a name in a JSON document that holds no escapes.</summary>
    public static string? Text(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name) => TextBytes(json, name) is { IsEmpty: false } text ? Encoding.ASCII.GetString(text) : null;

    /// <summary>As <see cref="Text"/>; empty for none.</summary>
    public static ReadOnlySpan<byte> TextBytes(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name) => TextBytes(json, name, out _);

    /// <summary>As <see cref="Text"/>, and where the text ends; empty for none.</summary>
    public static ReadOnlySpan<byte> TextBytes(ReadOnlySpan<byte> json, ReadOnlySpan<byte> name, out int end)
    {
        end = json.Length;
        var start = json.IndexOf(name);
        if (start < 0) return default;
        start += name.Length;
        start += json[start..].IndexOf((byte)'"') + 1;
        end = start + json[start..].IndexOf((byte)'"');
        return json[start..end];
    }

    public void Dispose() => _socket.Dispose();

    private bool Add(int count, out ReadOnlySpan<byte> body)
    {
        if (count == 0) throw new IOException("The server has closed a connection.");
        _length += count;
        body = default;
        var received = _buffer.AsSpan(0, _length);
        var end = received.IndexOf("\r\n\r\n"u8);
        if (end < 0) return false;
        var head = received[..(end + 2)];
        var length = ContentLength(head);
        if (received.Length < end + 4 + length) return false;
        body = received.Slice(end + 4, length);
        if (!head.StartsWith("HTTP/1.1 200 "u8)) throw new IOException($"The server refused a request: {Encoding.UTF8.GetString(received)}");
        _length = 0;
        return true;
    }

    private static int ContentLength(ReadOnlySpan<byte> head)
    {
        const string Name = "content-length:";
        foreach (var range in head.Split("\r\n"u8))
        {
            var line = head[range];
            if (line.Length > Name.Length && Ascii.EqualsIgnoreCase(line[..Name.Length], Name)) return int.Parse(line[Name.Length..], NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture);
        }
        throw new IOException($"An answer does not say how long it is: {Encoding.ASCII.GetString(head)}");
    }
}
