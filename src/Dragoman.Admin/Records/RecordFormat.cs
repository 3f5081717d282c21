using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Unicode;
using Dragoman.Storage.Records;

namespace Dragoman.Admin.Records;

/// <summary>Writes a record as a line.</summary>
internal abstract class RecordFormat
{
    /// <summary>The media type of the answer.</summary>
    public abstract string MediaType { get; }

    public abstract void Write(IBufferWriter<byte> target, int partition, in RecordView record);

    /// <summary>The value's bytes as they are; a null value is an empty line.</summary>
    public sealed class Values : RecordFormat
    {
        public override string MediaType => "application/octet-stream";

        public override void Write(IBufferWriter<byte> target, int partition, in RecordView record)
        {
            target.Write(record.Value.Span);
            target.Write("\n"u8);
        }
    }

    /// <summary>Key, separator and value, as bytes. A record without a key has no separator.</summary>
    public sealed class KeysAndValues(byte[] separator) : RecordFormat
    {
        public override string MediaType => "application/octet-stream";

        public override void Write(IBufferWriter<byte> target, int partition, in RecordView record)
        {
            if (!record.Key.IsNull)
            {
                target.Write(record.Key.Span);
                target.Write(separator);
            }
            target.Write(record.Value.Span);
            target.Write("\n"u8);
        }
    }

    /// <summary>A JSON object of the form of <see cref="Model.RecordModel"/>.</summary>
    public sealed class JsonLines : RecordFormat, IDisposable
    {
        private readonly Utf8JsonWriter _writer = new(new ArrayBufferWriter<byte>(), new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

        public override string MediaType => "application/x-ndjson";

        public override void Write(IBufferWriter<byte> target, int partition, in RecordView record)
        {
            _writer.Reset(target);
            _writer.WriteStartObject();
            _writer.WriteNumber("partition"u8, partition);
            _writer.WriteNumber("offset"u8, record.Offset);
            _writer.WriteNumber("timestamp"u8, record.Timestamp);
            WriteBytes("key", "keyBase64", record.Key);
            WriteBytes("value", "valueBase64", record.Value);
            if (record.Headers.Count > 0)
            {
                _writer.WriteStartArray("headers"u8);
                foreach (var header in record.Headers)
                {
                    _writer.WriteStartObject();
                    _writer.WriteString("name"u8, header.KeyText);
                    WriteBytes("value", "valueBase64", header.Value);
                    _writer.WriteEndObject();
                }
                _writer.WriteEndArray();
            }
            _writer.WriteEndObject();
            _writer.Flush();
            target.Write("\n"u8);
        }

        private void WriteBytes(string textName, string bytesName, NullableBytes bytes)
        {
            if (bytes.IsNull) return;
            if (Utf8.IsValid(bytes.Span)) _writer.WriteString(textName, bytes.Span);
            else _writer.WriteBase64String(bytesName, bytes.Span);
        }

        public void Dispose() => _writer.Dispose();
    }
}
