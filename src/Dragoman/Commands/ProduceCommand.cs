using System.Buffers;
using System.CommandLine;
using System.Globalization;
using System.IO.Pipelines;
using System.Net.Http.Headers;
using Dragoman.Admin.Model;

namespace Dragoman.Commands;

/// <summary><c>dragoman produce</c>: appends the lines of stdin to a topic.</summary>
internal static class ProduceCommand
{
    // Requests are as large as what gathered while the one before was under way, up to this; so a file goes in large
    // pieces, and a typed line at once.
    private const int MaxRequestBytes = 4 << 20;
    private const int MaxLineBytes = 16 << 20;

    public static Command Create()
    {
        var server = ClientOptions.Server();
        var ns = ClientOptions.Namespace();
        var topic = ClientOptions.Topic();
        var separator = new Option<string?>("--key-separator") { Description = "Splits each line into key and value at its first occurrence; \\t is a tab.", HelpName = "TEXT" };
        var partition = new Option<int?>("--partition") { Description = "Append to this partition. [default: chosen by key, or in turn]", HelpName = "N" };
        var compression = new Option<string?>("--compression") { Description = "Compress batches with gzip, snappy, lz4 or zstd. [default: none]", HelpName = "CODEC" };
        var format = new Option<string>("--format") { Description = "What a line is: value, or json for a record as 'consume --format json' prints it.", HelpName = "FORMAT", DefaultValueFactory = _ => "value" };
        var json = ClientOptions.Json();
        var command = new Command("produce", "Appends each line of stdin to a topic as a record. Returns when all are as durable as the topic asks.") { topic, server, ns, separator, partition, compression, format, json };
        command.SetAction((parsed, cancellation) => CommandRunner.RunAsync(async () =>
        {
            using var client = new AdminClient(parsed.GetValue(server));
            var type = parsed.GetValue(format) switch
            {
                "value" => "text/plain",
                "json" => "application/x-ndjson",
                var other => throw new CommandException($"--format is '{other}'; it should be value or json.", ExitCode.Usage),
            };
            var path = ClientOptions.Query(
                AdminClient.TopicPath(parsed.GetValue(topic)!) + "/records",
                ("namespace", parsed.GetValue(ns)), ("partition", parsed.GetValue(partition)?.ToString(CultureInfo.InvariantCulture)),
                ("compression", parsed.GetValue(compression)), ("keySeparator", parsed.GetValue(separator)?.Replace("\\t", "\t", StringComparison.Ordinal)));
            if (!Console.IsInputRedirected) await Console.Error.WriteLineAsync("Type one record per line; Ctrl+D ends.");
            var totals = await SendAsync(client, path, type, cancellation);
            if (parsed.GetValue(json)) Output.Json(totals, AdminJson.Default.ProduceResult);
            else await Console.Error.WriteLineAsync($"{Output.Count(totals.Records)} record{(totals.Records == 1 ? "" : "s")} appended{Where(totals)}");
            return ExitCode.Ok;
        }));
        return command;
    }

    private static async Task<ProduceResult> SendAsync(AdminClient client, string path, string type, CancellationToken cancellation)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: MaxLineBytes + MaxRequestBytes, resumeWriterThreshold: MaxRequestBytes, minimumSegmentSize: 64 * 1024, useSynchronizationContext: false));
        var reading = FillAsync(pipe.Writer, cancellation);
        var totals = new ProduceTotals();
        using var progress = new Progress();
        for (var done = false; !done;)
        {
            var result = await pipe.Reader.ReadAsync(cancellation);
            var lines = result.IsCompleted && result.Buffer.Length <= MaxRequestBytes ? result.Buffer : WholeLines(result.Buffer);
            if (lines.IsEmpty && result.Buffer.Length > MaxLineBytes) throw new CommandException($"A line is longer than {ByteSize.Format(MaxLineBytes)}. {Output.Count(totals.Records)} records were appended before.");
            if (!lines.IsEmpty)
            {
                var content = new SequenceContent(lines);
                content.Headers.ContentType = new MediaTypeHeaderValue(type);
                try
                {
                    totals.Add(await client.SendAsync(HttpMethod.Post, path, content, AdminJson.Default.ProduceResult, cancellation));
                }
                catch (CommandException error) when (totals.Records > 0)
                {
                    throw new CommandException($"{error.Message} ({Output.Count(totals.Records)} records had been appended before.)", error);
                }
                progress.Report(totals.Records, lines.Length);
            }
            done = result.IsCompleted && lines.Length == result.Buffer.Length;
            pipe.Reader.AdvanceTo(lines.IsEmpty ? result.Buffer.Start : lines.End, lines.IsEmpty ? result.Buffer.End : lines.End);
        }
        await reading;
        return totals.ToResult();
    }

    private static async Task FillAsync(PipeWriter target, CancellationToken cancellation)
    {
        await using var stdin = Console.OpenStandardInput();
        while (true)
        {
            var read = await stdin.ReadAsync(target.GetMemory(64 * 1024), cancellation);
            if (read == 0) break;
            target.Advance(read);
            if ((await target.FlushAsync(cancellation)).IsCompleted) return;
        }
        await target.CompleteAsync();
    }

    /// <summary>As many whole lines as a request takes, or one that is larger; none if no line has ended.</summary>
    private static ReadOnlySequence<byte> WholeLines(ReadOnlySequence<byte> buffer)
    {
        var taken = buffer.Start;
        for (var rest = buffer; rest.PositionOf((byte)'\n') is { } end;)
        {
            var next = buffer.GetPosition(1, end);
            if (buffer.Slice(buffer.Start, next).Length > MaxRequestBytes && !taken.Equals(buffer.Start)) break;
            taken = next;
            rest = buffer.Slice(next);
        }
        return buffer.Slice(buffer.Start, taken);
    }

    private static string Where(ProduceResult totals) => totals.Partitions.Count switch
    {
        0 => ".",
        1 => $" to partition {totals.Partitions[0].Partition}, offsets {totals.Partitions[0].FirstOffset} to {totals.Partitions[0].LastOffset}.",
        var count => $" to {count} partitions.",
    };

    private sealed class ProduceTotals
    {
        private readonly SortedDictionary<int, ProducedPartition> _partitions = [];

        public long Records { get; private set; }

        public void Add(ProduceResult result)
        {
            Records += result.Records;
            foreach (var part in result.Partitions)
                _partitions[part.Partition] = _partitions.TryGetValue(part.Partition, out var known) ? known with { Records = known.Records + part.Records, LastOffset = part.LastOffset } : part;
        }

        public ProduceResult ToResult() => new(Records, [.. _partitions.Values]);
    }

    private sealed class SequenceContent(ReadOnlySequence<byte> bytes) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context)
        {
            foreach (var segment in bytes) await stream.WriteAsync(segment);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = bytes.Length;
            return true;
        }
    }

    /// <summary>Says on a terminal how far a long stream has come.</summary>
    private sealed class Progress : IDisposable
    {
        private readonly bool _isShown = !Console.IsErrorRedirected && Console.IsInputRedirected;
        private readonly System.Diagnostics.Stopwatch _watch = System.Diagnostics.Stopwatch.StartNew();
        private long _bytes;
        private long _shownAt;

        public void Report(long records, long bytes)
        {
            _bytes += bytes;
            var now = _watch.ElapsedMilliseconds;
            if (!_isShown || now - _shownAt < 500) return;
            _shownAt = now;
            Console.Error.Write($"\r{Output.Count(records)} records, {ByteSize.Format(_bytes)}, {ByteSize.Format(_bytes * 1000 / now)}/s   ");
        }

        public void Dispose()
        {
            if (_shownAt > 0) Console.Error.Write("\r\u001b[K");
        }
    }
}
