using System.Buffers;
using System.Buffers.Text;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;

namespace Dragoman.Admin.Metrics;

/// <summary>A label of a sample.</summary>
internal readonly record struct Label(string Name, string Value);

/// <summary>
/// Writes metrics in Prometheus' text format, version 0.0.4. What is written is sent by and by, so that the metrics of
/// many queues take no more memory than those of few.
/// </summary>
/// <param name="output">Where to.</param>
/// <param name="prefix">What names begin with.</param>
internal sealed class MetricsWriter(PipeWriter output, string prefix)
{
    private const int FlushAt = 64 << 10;

    private readonly ArrayBufferWriter<byte> _line = new(256);
    private string _name = "";
    private long _unflushed;

    /// <summary>Begins a metric: its samples follow, and no other metric's among them.</summary>
    /// <param name="name">Its name, without the prefix.</param>
    /// <param name="type"><c>counter</c>, <c>gauge</c> or <c>untyped</c>.</param>
    /// <param name="help">What it is.</param>
    public void Begin(string name, string type, string help)
    {
        _name = prefix + name;
        _line.ResetWrittenCount();
        Text("# TYPE ");
        Text(_name);
        Text(" ");
        Text(type);
        Text("\n# HELP ");
        Text(_name);
        Text(" ");
        Escaped(help, quotes: false);
        End();
    }

    /// <summary>A metric of one sample without labels.</summary>
    public void One(string name, string type, string help, double value)
    {
        Begin(name, type, help);
        Sample(value);
    }

    /// <summary>A sample of the metric that was begun.</summary>
    public void Sample(double value, params ReadOnlySpan<Label> labels)
    {
        Head(labels);
        if (double.IsNaN(value)) Text("NaN");
        else if (double.IsPositiveInfinity(value)) Text("+Inf");
        else if (double.IsNegativeInfinity(value)) Text("-Inf");
        else Number(value);
        End();
    }

    /// <inheritdoc cref="Sample(double, ReadOnlySpan{Label})"/>
    public void Sample(long value, params ReadOnlySpan<Label> labels)
    {
        Head(labels);
        var span = _line.GetSpan(20);
        Utf8Formatter.TryFormat(value, span, out var written);
        _line.Advance(written);
        End();
    }

    /// <summary>Sends what was written, if it is much.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellation)
    {
        if (_unflushed < FlushAt) return;
        _unflushed = 0;
        await output.FlushAsync(cancellation);
    }

    private void Head(ReadOnlySpan<Label> labels)
    {
        _line.ResetWrittenCount();
        Text(_name);
        for (var i = 0; i < labels.Length; i++)
        {
            Text(i == 0 ? "{" : ",");
            Text(labels[i].Name);
            Text("=\"");
            Escaped(labels[i].Value, quotes: true);
            Text("\"");
        }
        Text(labels.IsEmpty ? " " : "} ");
    }

    private void End()
    {
        Text("\n");
        output.Write(_line.WrittenSpan);
        _unflushed += _line.WrittenCount;
    }

    private void Number(double value)
    {
        Span<char> digits = stackalloc char[32];
        value.TryFormat(digits, out var length, default, CultureInfo.InvariantCulture);
        Text(digits[..length]);
    }

    private void Text(ReadOnlySpan<char> text)
    {
        var span = _line.GetSpan(Encoding.UTF8.GetMaxByteCount(text.Length));
        _line.Advance(Encoding.UTF8.GetBytes(text, span));
    }

    /// <summary>Label values escape backslashes, quotes and line feeds; help texts all but quotes.</summary>
    private void Escaped(string text, bool quotes)
    {
        if (text.AsSpan().IndexOfAny('\\', '"', '\n') < 0)
        {
            Text(text);
            return;
        }
        var escaped = text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        Text(quotes ? escaped.Replace("\"", "\\\"", StringComparison.Ordinal) : escaped);
    }
}
