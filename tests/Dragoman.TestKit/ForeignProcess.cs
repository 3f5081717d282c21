using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading.Channels;

namespace Dragoman.TestKit;

/// <summary>
/// A program under test or a client in another language, started by a test. It does not outlive the test: disposal ends
/// it with all that it started, a time limit ends it, and so does the end of the test process.
/// </summary>
public sealed partial class ForeignProcess : IAsyncDisposable
{
    private const int Sigterm = 15;

    private static readonly ConcurrentDictionary<int, Process> s_running = new();

    private readonly Process _process;
    private readonly string _command;
    private readonly MemoryStream _output = new();
    private readonly StringBuilder _error = new();
    private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
    private readonly Task _reading;
    private readonly bool _keepsLines;

    static ForeignProcess() => AppDomain.CurrentDomain.ProcessExit += (_, _) =>
    {
        foreach (var process in s_running.Values) End(process);
    };

    private ForeignProcess(ProcessStartInfo info, bool keepsLines)
    {
        _keepsLines = keepsLines;
        _command = string.Join(' ', [info.FileName, .. info.ArgumentList]);
        _process = Process.Start(info) ?? throw new InvalidOperationException($"Could not start {_command}");
        Id = _process.Id;
        s_running[Id] = _process;
        _reading = Task.WhenAll(ReadOutputAsync(), ReadErrorAsync());
    }

    /// <summary>Its process id.</summary>
    public int Id { get; }

    /// <summary>Whether it has ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>What it has written to standard error so far.</summary>
    public string Error
    {
        get
        {
            lock (_error) return _error.ToString();
        }
    }

    /// <summary>What it has written to standard output so far.</summary>
    public string Output
    {
        get
        {
            lock (_output) return Encoding.UTF8.GetString(_output.GetBuffer(), 0, (int)_output.Length);
        }
    }

    /// <summary>Its standard input.</summary>
    public Stream Input => _process.StandardInput.BaseStream;

    /// <summary>Starts a program.</summary>
    /// <param name="file">The program: a path, or a name on PATH.</param>
    /// <param name="arguments">Its arguments, as they are; no shell is involved.</param>
    /// <param name="directory">Where it runs; null for the directory of the tests.</param>
    /// <param name="environment">What to add to, or (null) take from, the environment. Dragoman's own variables are never inherited.</param>
    public static ForeignProcess Start(string file, IEnumerable<string> arguments, string? directory = null, IReadOnlyDictionary<string, string?>? environment = null) =>
        new(StartInfo(file, arguments, directory, environment), keepsLines: true);

    private static ProcessStartInfo StartInfo(string file, IEnumerable<string> arguments, string? directory, IReadOnlyDictionary<string, string?>? environment)
    {
        var info = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = directory ?? AppContext.BaseDirectory,
        };
        foreach (var name in info.Environment.Keys.Where(k => k.StartsWith("DRAGOMAN_", StringComparison.Ordinal)).ToList()) info.Environment.Remove(name);
        foreach (var (name, value) in environment ?? new Dictionary<string, string?>())
        {
            if (value is null) info.Environment.Remove(name);
            else info.Environment[name] = value;
        }
        return info;
    }

    /// <summary>Runs a program to its end.</summary>
    /// <param name="file">The program: a path, or a name on PATH.</param>
    /// <param name="arguments">Its arguments, as they are.</param>
    /// <param name="input">Its standard input; null for none.</param>
    /// <param name="directory">Where it runs; null for the directory of the tests.</param>
    /// <param name="environment">What to add to, or (null) take from, the environment.</param>
    /// <param name="limit">How long it may take; null for two minutes.</param>
    /// <exception cref="TimeoutException">It took longer, and was ended; the message holds what it wrote.</exception>
    public static async Task<ProcessResult> RunAsync(
        string file, IEnumerable<string> arguments, ReadOnlyMemory<byte>? input = null, string? directory = null, IReadOnlyDictionary<string, string?>? environment = null, TimeSpan? limit = null)
    {
        await using var process = new ForeignProcess(StartInfo(file, arguments, directory, environment), keepsLines: false);
        var feeding = process.FeedAsync(input ?? ReadOnlyMemory<byte>.Empty);
        var result = await process.WaitAsync(limit);
        await feeding;
        return result;
    }

    /// <summary>Waits for its end.</summary>
    /// <param name="limit">How long that may take; null for two minutes.</param>
    /// <exception cref="TimeoutException">It took longer, and was ended.</exception>
    public async Task<ProcessResult> WaitAsync(TimeSpan? limit = null)
    {
        var allowed = limit ?? TimeSpan.FromMinutes(2);
        using var source = new CancellationTokenSource(allowed);
        try
        {
            await _process.WaitForExitAsync(source.Token);
        }
        catch (OperationCanceledException)
        {
            End(_process);
            throw new TimeoutException($"{_command}\ndid not end within {allowed}.\nStandard error:\n{Error}\nStandard output:\n{Output}");
        }
        // A grandchild may hold the pipes open; whoever waits for this process does not wait for that one.
        await Task.WhenAny(_reading, Task.Delay(TimeSpan.FromSeconds(10)));
        lock (_output) return new ProcessResult(_command, _process.ExitCode, _output.ToArray(), Error);
    }

    /// <summary>The next line of standard output; null at its end.</summary>
    /// <param name="limit">How long to wait for it; null for 30 seconds.</param>
    /// <exception cref="TimeoutException">None came.</exception>
    public async Task<string?> ReadLineAsync(TimeSpan? limit = null)
    {
        var allowed = limit ?? TimeSpan.FromSeconds(30);
        using var source = new CancellationTokenSource(allowed);
        try
        {
            return await _lines.Reader.WaitToReadAsync(source.Token) && _lines.Reader.TryRead(out var line) ? line : null;
        }
        catch (OperationCanceledException)
        {
            throw new TimeoutException($"{_command}\nwrote no line within {allowed}.\nStandard error:\n{Error}\nStandard output:\n{Output}");
        }
    }

    /// <summary>Reads lines of standard output up to the first that is wanted, and returns that.</summary>
    /// <param name="wanted">Which line to wait for.</param>
    /// <param name="limit">How long to wait for each line; null for 30 seconds.</param>
    /// <exception cref="TimeoutException">None came.</exception>
    /// <exception cref="InvalidOperationException">The output ended without it.</exception>
    public async Task<string> ReadUntilAsync(Predicate<string> wanted, TimeSpan? limit = null)
    {
        while (await ReadLineAsync(limit) is { } line)
        {
            if (wanted(line)) return line;
        }
        throw new InvalidOperationException($"{_command}\nended its output without the line that was waited for.\nStandard error:\n{Error}\nStandard output:\n{Output}");
    }

    /// <summary>Asks it to end with SIGTERM, and waits for that.</summary>
    /// <param name="limit">How long that may take; null for 30 seconds.</param>
    public Task<ProcessResult> TerminateAsync(TimeSpan? limit = null)
    {
        if (Signal(Id, Sigterm) != 0 && !_process.HasExited) throw new InvalidOperationException($"Could not signal process {Id}: error {Marshal.GetLastPInvokeError()}");
        return WaitAsync(limit ?? TimeSpan.FromSeconds(30));
    }

    /// <summary>Ends it and all that it started with SIGKILL, as a crash would.</summary>
    public Task<ProcessResult> KillAsync()
    {
        End(_process);
        return WaitAsync(TimeSpan.FromSeconds(30));
    }

    public async ValueTask DisposeAsync()
    {
        End(_process);
        await _process.WaitForExitAsync();
        s_running.TryRemove(Id, out _);
        await Task.WhenAny(_reading, Task.Delay(TimeSpan.FromSeconds(10)));
        _process.Dispose();
    }

    private static void End(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (InvalidOperationException)
        {
            // It ended first.
        }
    }

    private async Task FeedAsync(ReadOnlyMemory<byte> input)
    {
        try
        {
            await Input.WriteAsync(input);
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading all of it; its exit code says whether that was right.
        }
    }

    private async Task ReadOutputAsync()
    {
        var buffer = new byte[64 * 1024];
        var line = new MemoryStream();
        while (await _process.StandardOutput.BaseStream.ReadAsync(buffer) is > 0 and var count)
        {
            lock (_output) _output.Write(buffer, 0, count);
            for (var rest = _keepsLines ? buffer.AsMemory(0, count) : default; rest.Length > 0;)
            {
                var end = rest.Span.IndexOf((byte)'\n');
                line.Write(rest.Span[..(end < 0 ? rest.Length : end)]);
                if (end < 0) break;
                EndLine(line);
                rest = rest[(end + 1)..];
            }
        }
        if (line.Length > 0) EndLine(line);
        _lines.Writer.Complete();
    }

    private void EndLine(MemoryStream line)
    {
        _lines.Writer.TryWrite(Encoding.UTF8.GetString(line.GetBuffer(), 0, (int)line.Length).TrimEnd('\r'));
        line.SetLength(0);
    }

    private async Task ReadErrorAsync()
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
        {
            lock (_error) _error.Append(line).Append('\n');
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Signal(int pid, int signal);
}
