using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Dragoman.Storage.Records;

namespace Dragoman.Storage.Tests.Records;

/// <summary>What kafka-python writes is read, and what is written here kafka-python reads.</summary>
public class KafkaPythonTests
{
    // Reads one base64 batch a line; answers with a JSON line of its fields and records.
    private const string Script =
        """
        import base64, json, sys
        from kafka.record.default_records import DefaultRecordBatch
        text = lambda b: None if b is None else bytes(b).hex()
        for line in sys.stdin:
            batch = DefaultRecordBatch(base64.b64decode(line))
            header = batch._header_data
            fields = [batch.validate_crc(), batch.base_offset, batch.magic, batch.attributes & 7, batch.is_transactional,
                      batch.is_control_batch, batch.timestamp_type, batch.max_timestamp, *header[9:12], header[6], header[7]]
            records = [[r.offset, r.timestamp, text(r.key), text(r.value), [[k, text(v)] for k, v in r.headers]]
                       for r in batch]
            print(json.dumps([fields, records], separators=(",", ":")))
        """;

    public static TheoryData<CompressionCodec, string> Batches => new()
    {
        { CompressionCodec.None, KafkaPythonBatches.BatchNone },
        { CompressionCodec.Gzip, KafkaPythonBatches.BatchGzip },
        { CompressionCodec.Snappy, KafkaPythonBatches.BatchSnappy },
        { CompressionCodec.Lz4, KafkaPythonBatches.BatchLz4 },
        { CompressionCodec.Zstd, KafkaPythonBatches.BatchZstd },
        { CompressionCodec.None, KafkaPythonBatches.BatchTransactional },
    };

    private static TestRecord[] Expected =>
    [
        new(1_700_000_000_000, "k"u8.ToArray(), "v"u8.ToArray(), [("h1", "x"u8.ToArray()), ("h2", null), ("h1", [])]),
        new(1_700_000_000_005, null, [], []),
        new(1_699_999_999_990, [], null, []),
        .. Enumerable.Range(3, 9).Select(i => new TestRecord(
            1_700_000_000_000 + i,
            Encoding.UTF8.GetBytes($"key-{i}"),
            Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("value ", 40))),
            [])),
    ];

    [Theory]
    [MemberData(nameof(Batches))]
    public void Its_batches_are_valid_and_read_as_written(CompressionCodec codec, string base64)
    {
        byte[] batch = Convert.FromBase64String(base64);
        BatchError error = RecordBatchValidator.Validate(batch, BatchLimits.Producer, out BatchSummary summary);
        Assert.Equal(BatchError.None, error);
        RecordBatchHeader.TryRead(batch, out RecordBatchHeader header);
        Assert.Equal(codec, header.Codec);
        Assert.Equal(1_700_000_000_011, header.MaxTimestamp);
        Assert.Equal((12, header.MaxTimestamp, 11), (summary.RecordCount, summary.MaxTimestamp, summary.MaxTimestampOffsetDelta));
        Assert.Equal(Expected, TestRecords.Read(batch));
    }

    [Fact]
    public void Its_producer_fields_are_read()
    {
        RecordBatchHeader.TryRead(Convert.FromBase64String(KafkaPythonBatches.BatchTransactional), out RecordBatchHeader header);
        Assert.True(header.IsTransactional);
        Assert.Equal(4711, header.ProducerId);
        Assert.Equal(3, header.ProducerEpoch);
        Assert.Equal(100, header.BaseSequence);
        Assert.Equal(111, header.LastSequence);
    }

    [Fact]
    public void The_builder_writes_the_same_bytes_where_nothing_is_compressed()
    {
        // kafka-python leaves the leader epoch at 0.
        Assert.Equal(
            KafkaPythonBatches.BatchNone,
            Convert.ToBase64String(TestRecords.Build(Expected, new BatchOptions { PartitionLeaderEpoch = 0 })));
        Assert.Equal(
            KafkaPythonBatches.BatchTransactional,
            Convert.ToBase64String(TestRecords.Build(Expected, new BatchOptions
            {
                PartitionLeaderEpoch = 0,
                IsTransactional = true,
                Producer = new BatchProducer(4711, 3, 100),
            })));
    }

    [Fact]
    public void It_reads_what_is_built_here()
    {
        string large = string.Concat(Enumerable.Range(0, 40_000).Select(i => $"{i % 977} "));
        TestRecord[] records = [.. Expected, new(1_700_000_000_020, null, Encoding.UTF8.GetBytes(large), [("ключ", [0])])];
        var lines = new StringBuilder();
        foreach (CompressionCodec codec in TestRecords.Codecs)
        {
            byte[] batch = TestRecords.Build(records, new BatchOptions
            {
                Codec = codec,
                BaseOffset = 1000,
                IsTransactional = true,
                Producer = new BatchProducer(12345678901, 7, 42),
            });
            lines.AppendLine(Convert.ToBase64String(batch));
        }

        using var builder = new RecordBatchBuilder();
        lines.AppendLine(Convert.ToBase64String(
            new EndTransactionMarker(ControlRecordType.Commit, 5).Build(builder, 9, 1, 1_700_000_000_000).Span));
        string[] answers = Ask(lines.ToString());
        Assert.Equal(TestRecords.Codecs.Length + 1, answers.Length);

        for (int i = 0; i < TestRecords.Codecs.Length; i++)
        {
            using JsonDocument answer = JsonDocument.Parse(answers[i]);
            Assert.Equal(
                $"[true,1000,2,{i},true,false,0,1700000000020,12345678901,7,42,12,1700000000000]", answer.RootElement[0].GetRawText());
            JsonElement[] read = [.. answer.RootElement[1].EnumerateArray()];
            Assert.Equal(Enumerable.Range(1000, 13).Select(o => (long)o), read.Select(r => r[0].GetInt64()));
            Assert.Equal(records, read.Select(ToRecord));
        }

        Assert.Equal(
            "[[true,0,2,0,true,true,0,1700000000000,9,1,-1,0,1700000000000],[[0,1700000000000,\"00000001\",\"000000000005\",[]]]]",
            answers[^1]);
    }

    private static TestRecord ToRecord(JsonElement record) => new(
        record[1].GetInt64(),
        Bytes(record[2]),
        Bytes(record[3]),
        [.. record[4].EnumerateArray().Select(h => (h[0].GetString()!, Bytes(h[1])))]);

    private static byte[]? Bytes(JsonElement hex) => hex.GetString() is { } text ? Convert.FromHexString(text) : null;

    private static string[] Ask(string lines)
    {
        const string Python = "/usr/bin/python3";
        Assert.SkipUnless(
            File.Exists(Python) && Run(Python, "import kafka, lz4, snappy, zstandard", "").ExitCode == 0,
            "Needs python3 with kafka, lz4, snappy and zstandard (Debian: python3-kafka python3-lz4 python3-snappy python3-zstandard).");
        (int exitCode, string output, string error) = Run(Python, Script, lines);
        Assert.True(exitCode == 0, error);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private static (int ExitCode, string Output, string Error) Run(string program, string script, string input)
    {
        using var process = Process.Start(new ProcessStartInfo(program)
        {
            ArgumentList = { "-c", script },
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> error = process.StandardError.ReadToEndAsync();
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        process.WaitForExit();
        return (process.ExitCode, output.Result, error.Result);
    }
}
