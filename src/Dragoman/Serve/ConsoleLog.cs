using System.Globalization;
using Microsoft.Extensions.Logging;

namespace Dragoman.Serve;

/// <summary>
/// Logs to a writer, one line per event: <c>2026-01-31T12:00:00.000Z WARN  Kafka: message</c>. A stack trace follows,
/// indented, only where something failed that nobody foresaw.
/// </summary>
internal sealed class ConsoleLog(TextWriter target, LogLevel minimum, TimeProvider time) : ILoggerFactory
{
    private readonly Lock _lock = new();

    /// <summary>Whether the web server's own messages are kept back: a failed start is explained by who starts it.</summary>
    public bool IsStarting { get; set; } = true;

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException("There is one place to log to.");

    public void Dispose()
    {
    }

    private void Write(LogLevel level, string category, string message, Exception? error)
    {
        var name = level switch
        {
            LogLevel.Trace => "TRACE",
            LogLevel.Debug => "DEBUG",
            LogLevel.Information => "INFO ",
            LogLevel.Warning => "WARN ",
            LogLevel.Error => "ERROR",
            _ => "CRIT ",
        };
        var stamp = time.GetUtcNow().ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        var text = $"{stamp} {name} {category[(category.LastIndexOf('.') + 1)..]}: {message.ReplaceLineEndings(" ")}";
        if (error is not null)
        {
            text += $" ({error.GetType().Name}: {error.Message.ReplaceLineEndings(" ")})";
            if (level >= LogLevel.Error || minimum <= LogLevel.Debug) text += "\n    " + error.ToString().ReplaceLineEndings("\n    ");
        }
        lock (_lock) target.WriteLine(text);
    }

    private sealed class Logger(ConsoleLog log, string category) : ILogger
    {
        private readonly bool _isFramework = category.StartsWith("Microsoft.", StringComparison.Ordinal);

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) =>
            logLevel != LogLevel.None && logLevel >= Least && !(_isFramework && log.IsStarting);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel)) log.Write(logLevel, category, formatter(state, exception), exception);
        }

        // What the web server calls information is noise to whoever runs a broker, unless they ask for detail.
        private LogLevel Least => _isFramework && log.Minimum == LogLevel.Information ? LogLevel.Warning : log.Minimum;
    }

    private LogLevel Minimum => minimum;
}
