using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Dragoman.Redis.Sessions;

namespace Dragoman.Redis.Tests.Sessions;

/// <summary>A client that sends commands and reads replies as texts: <c>+OK</c>, <c>-ERR …</c>, <c>:1</c>, <c>[a,b]</c>, <c>&gt;[message,c,x]</c>.</summary>
internal sealed class TestClient : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Pipe _toServer = new();
    private readonly Pipe _toClient;
    private readonly Stream _replies;
    private readonly Task _serving;

    public TestClient(RedisFrontEnd frontEnd, long window = 65536)
    {
        _toClient = new Pipe(new PipeOptions(pauseWriterThreshold: window, resumeWriterThreshold: window / 2));
        _replies = _toClient.Reader.AsStream();
        Session = frontEnd.CreateSession(new Transport(_toServer.Reader, _toClient.Writer));
        _serving = Session.RunAsync();
    }

    public RedisSession Session { get; }

    /// <summary>Completes when the server has closed the connection.</summary>
    public Task Ended => _serving.WaitAsync(Patience);

    public async Task SendAsync(params string[] words)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"*{words.Length}\r\n");
        foreach (var word in words) text.Append(CultureInfo.InvariantCulture, $"${Encoding.Latin1.GetByteCount(word)}\r\n{word}\r\n");
        await SendRawAsync(text.ToString());
    }

    public async Task SendRawAsync(string text) => await _toServer.Writer.WriteAsync(Encoding.Latin1.GetBytes(text));

    public async Task<string> AskAsync(params string[] words)
    {
        await SendAsync(words);
        return await ReadAsync();
    }

    public async Task<string> ReadAsync()
    {
        var line = await ReadLineAsync();
        var rest = line[1..];
        switch (line[0])
        {
            case '+' or '-' or ':':
                return line;
            case '_':
                return "null";
            case '$' or '=':
                var length = int.Parse(rest, CultureInfo.InvariantCulture);
                if (length < 0) return "null";
                var bytes = new byte[length + 2];
                await _replies.ReadExactlyAsync(bytes).AsTask().WaitAsync(Patience);
                return Encoding.Latin1.GetString(bytes, 0, length);
            case '*' or '>' or '~' or '%':
                var count = int.Parse(rest, CultureInfo.InvariantCulture) * (line[0] == '%' ? 2 : 1);
                if (count < 0) return "null";
                var items = new List<string>();
                for (var i = 0; i < count; i++) items.Add(await ReadAsync());
                return $"{(line[0] == '*' ? "" : line[0])}[{string.Join(',', items)}]";
            default:
                throw new FormatException($"No reply begins with '{line}'.");
        }
    }

    public async Task<string> ReadToEndAsync()
    {
        using var reader = new StreamReader(_replies, Encoding.Latin1);
        return await reader.ReadToEndAsync().WaitAsync(Patience);
    }

    public async ValueTask DisposeAsync()
    {
        await _toServer.Writer.CompleteAsync();
        await _toClient.Reader.CompleteAsync();
        await Ended;
    }

    private async Task<string> ReadLineAsync()
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (true)
        {
            await _replies.ReadExactlyAsync(one).AsTask().WaitAsync(Patience);
            if (one[0] == '\n') return line.ToString(0, line.Length - 1);
            line.Append((char)one[0]);
        }
    }

    private sealed record Transport(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
