using System.Globalization;
using System.Text;
using System.Text.Json;
using Dragoman.Admin.Http;
using Dragoman.Admin.Model;
using Dragoman.Admin.Records;
using Dragoman.Storage.Records;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Dragoman.Admin.Resources;

/// <summary>
/// <c>POST /_dragoman/v1/topics/NAME/records</c>: appends records, given as JSON, as JSON lines, or as plain lines.
/// Lines stream: however many there are, memory holds a few batches.
/// </summary>
internal sealed class ProduceResource(AdminNode node, TopicsResource topics)
{
    private const int MaxJsonBytes = 16 << 20;
    private const int MaxLineBytes = 64 << 20;

    public async Task HandleAsync(HttpContext context, string name)
    {
        var query = context.Request.Query;
        var partition = query.TryGetValue("partition", out var text) ? ParsePartition(text.ToString()) : (int?)null;
        var codec = ParseCodec(query["compression"].ToString());
        var separator = query.TryGetValue("keySeparator", out var given) ? Encoding.UTF8.GetBytes(given.ToString()) : null;
        if (separator is { Length: 0 }) throw ProblemException.BadRequest("keySeparator is empty.");
        var type = MediaType(context);
        var topic = await topics.FindOrCreateAsync(context, name);
        var cancellation = context.RequestAborted;
        await using var session = new ProduceSession(topic, partition, codec, node.Broker.Time);
        try
        {
            switch (type)
            {
                case "application/json":
                    var request = await Json.ReadAsync(context, AdminJson.Default.ProduceRequest, MaxJsonBytes);
                    foreach (var record in request.Records) await AddAsync(session, record, cancellation);
                    break;
                case "application/x-ndjson" or "application/jsonl":
                    await ReadLinesAsync(context, session, (line, number) =>
                        line.Span.Trim(" \t\r"u8).IsEmpty ? ValueTask.CompletedTask : AddAsync(session, ParseLine(line.Span, number), cancellation));
                    break;
                case "text/plain" or "application/octet-stream":
                    await ReadLinesAsync(context, session, (line, _) => AddAsync(session, line, separator, cancellation));
                    break;
                default:
                    throw new ProblemException(StatusCodes.Status415UnsupportedMediaType, "Unsupported media type", $"The body is '{type}'; it should be application/json, application/x-ndjson, or text/plain (a value per line).");
            }
            var result = await session.CompleteAsync(cancellation);
            await Json.WriteAsync(context, result, AdminJson.Default.ProduceResult);
        }
        catch (ProblemException problem)
        {
            throw new ProblemException(problem.Status, problem.Title, problem.Message) { Extra = new Dictionary<string, long> { ["appended"] = session.Appended } };
        }
    }

    private static async Task ReadLinesAsync(HttpContext context, ProduceSession session, Func<ReadOnlyMemory<byte>, long, ValueTask> line)
    {
        // A stream may be of any length, and people type slowly.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size) size.MaxRequestBodySize = null;
        if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } rate) rate.MinDataRate = null;
        var cancellation = context.RequestAborted;
        using var reader = new LineReader(context.Request.BodyReader, MaxLineBytes);
        await reader.ReadAsync(line, () => session.SendAsync(cancellation), cancellation);
    }

    private static RecordModel ParseLine(ReadOnlySpan<byte> line, long number)
    {
        try
        {
            return JsonSerializer.Deserialize(line, AdminJson.Default.RecordModel) ?? throw ProblemException.BadRequest($"Line {number} is null; it should be a record.");
        }
        catch (JsonException error)
        {
            throw ProblemException.BadRequest($"Line {number} is not a record: {Json.Explain(error)}");
        }
    }

    private static async ValueTask AddAsync(ProduceSession session, ReadOnlyMemory<byte> line, byte[]? separator, CancellationToken cancellation)
    {
        var split = separator is null ? -1 : line.Span.IndexOf(separator);
        var key = split < 0 ? default : line[..split];
        var value = split < 0 ? line : line[(split + separator!.Length)..];
        var writer = await session.WriterForAsync(split < 0 ? default : new NullableBytes(key.Span), null, line.Length, cancellation);
        writer.Add(session.Now, split < 0 ? default : new NullableBytes(key.Span), new NullableBytes(value.Span), default);
    }

    private static async ValueTask AddAsync(ProduceSession session, RecordModel record, CancellationToken cancellation)
    {
        if (record.Offset is not null) throw ProblemException.BadRequest("A record to be appended has no offset; the broker gives it one.");
        var key = Bytes(record.Key, record.KeyBase64, "key");
        var value = Bytes(record.Value, record.ValueBase64, "value");
        var size = (key?.Length ?? 0) + (value?.Length ?? 0);
        using var headers = new RecordHeadersWriter();
        foreach (var header in record.Headers ?? [])
            headers.Add(header.Name, Bytes(header.Value, header.ValueBase64, $"header '{header.Name}'"));
        size += headers.Headers.Encoded.Length;
        var writer = await session.WriterForAsync(key, record.Partition, size, cancellation);
        writer.Add(record.Timestamp ?? session.Now, key, value, headers.Headers);
    }

    private static byte[]? Bytes(string? text, byte[]? bytes, string what)
    {
        if (text is null) return bytes;
        return bytes is null ? Encoding.UTF8.GetBytes(text) : throw ProblemException.BadRequest($"The {what} is given both as text and as bytes.");
    }

    private static int ParsePartition(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var partition) ? partition : throw ProblemException.BadRequest($"partition is '{text}'; it should be a number from 0.");

    private static CompressionCodec ParseCodec(string text) => text switch
    {
        "" or "none" => CompressionCodec.None,
        "gzip" => CompressionCodec.Gzip,
        "snappy" => CompressionCodec.Snappy,
        "lz4" => CompressionCodec.Lz4,
        "zstd" => CompressionCodec.Zstd,
        _ => throw ProblemException.BadRequest($"compression is '{text}'; it should be none, gzip, snappy, lz4 or zstd."),
    };

    private static string MediaType(HttpContext context)
    {
        var type = context.Request.ContentType ?? "";
        var end = type.IndexOf(';', StringComparison.Ordinal);
        return (end < 0 ? type : type[..end]).Trim().ToLowerInvariant();
    }
}
