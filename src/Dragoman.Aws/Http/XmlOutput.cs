using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Dragoman.Storage.Records;

namespace Dragoman.Aws.Http;

/// <summary>
/// Writes answers of the Query protocol. SQS flattens lists and maps into the structure that holds them; SNS and STS wrap
/// them, and call what is in them <c>member</c> and <c>entry</c>.
/// </summary>
/// <param name="isFlattened">Which of the two.</param>
internal sealed class XmlOutput(bool isFlattened) : Output, IDisposable
{
    private readonly PooledBuffer _buffer = new();
    private readonly Stack<(string Name, string Element, string Key, string Value)> _open = new();

    /// <summary>The bytes written.</summary>
    public ReadOnlyMemory<byte> Written => _buffer.WrittenMemory;

    /// <summary>Writes a start tag.</summary>
    public void Open(string name)
    {
        Raw("<"u8);
        Ascii(name);
        Raw(">"u8);
    }

    /// <summary>Writes an end tag.</summary>
    public void Close(string name)
    {
        Raw("</"u8);
        Ascii(name);
        Raw(">"u8);
    }

    /// <summary>Writes an end tag, or makes the start tag that was written last one of an empty element.</summary>
    public void CloseOrShorten(string name)
    {
        if (_buffer.WrittenSpan.EndsWith(Encoding.ASCII.GetBytes($"<{name}>")))
        {
            _buffer.Truncate(_buffer.Length - 1);
            Raw("/>"u8);
        }
        else
        {
            Close(name);
        }
    }

    /// <summary>Writes bytes as they are.</summary>
    public void Raw(ReadOnlySpan<byte> bytes) => _buffer.Write(bytes);

    public override void Text(string name, string value) => Utf8(name, Encoding.UTF8.GetBytes(value));

    public override void Utf8(string name, ReadOnlySpan<byte> value)
    {
        Open(name);
        Escaped(value);
        Close(name);
    }

    public override void Integer(string name, long value)
    {
        Open(name);
        Ascii(value.ToString(CultureInfo.InvariantCulture));
        Close(name);
    }

    public override void Truth(string name, bool value)
    {
        Open(name);
        Raw(value ? "true"u8 : "false"u8);
        Close(name);
    }

    public override void Bytes(string name, ReadOnlySpan<byte> value)
    {
        Open(name);
        var target = _buffer.GetSpan(Base64.GetMaxEncodedToUtf8Length(value.Length));
        Base64.EncodeToUtf8(value, target, out _, out var written);
        _buffer.Advance(written);
        Close(name);
    }

    public override void BeginStructure(string name)
    {
        Open(name);
        _open.Push((name, "", "", ""));
    }

    public override void EndStructure() => Close(_open.Pop().Name);

    public override void BeginList(string name, string element)
    {
        if (!isFlattened) Open(name);
        _open.Push((name, isFlattened ? element : "member", "", ""));
    }

    public override void BeginItem() => Open(_open.Peek().Element);

    public override void EndItem() => Close(_open.Peek().Element);

    public override void Item(string value) => Text(_open.Peek().Element, value);

    public override void EndList()
    {
        var (name, _, _, _) = _open.Pop();
        if (!isFlattened) Close(name);
    }

    public override void BeginMap(string name, string element, string key, string value)
    {
        if (!isFlattened) Open(name);
        _open.Push(isFlattened ? (name, element, key, value) : (name, "entry", "key", "value"));
    }

    public override void Entry(string key, string value)
    {
        var (_, element, keyName, valueName) = _open.Peek();
        Open(element);
        Text(keyName, key);
        Text(valueName, value);
        Close(element);
    }

    public override void BeginEntry(string key)
    {
        var (_, element, keyName, valueName) = _open.Peek();
        Open(element);
        Text(keyName, key);
        Open(valueName);
    }

    public override void EndEntry()
    {
        var (_, element, _, valueName) = _open.Peek();
        Close(valueName);
        Close(element);
    }

    public override void EndMap()
    {
        var (name, _, _, _) = _open.Pop();
        if (!isFlattened) Close(name);
    }

    public void Dispose() => _buffer.Dispose();

    private void Ascii(string text)
    {
        var target = _buffer.GetSpan(text.Length);
        _buffer.Advance(Encoding.ASCII.GetBytes(text, target));
    }

    private void Escaped(ReadOnlySpan<byte> text)
    {
        while (!text.IsEmpty)
        {
            var next = text.IndexOfAny("&<>\"\r"u8);
            if (next < 0)
            {
                Raw(text);
                return;
            }
            Raw(text[..next]);
            Raw(text[next] switch
            {
                (byte)'&' => "&amp;"u8,
                (byte)'<' => "&lt;"u8,
                (byte)'>' => "&gt;"u8,
                (byte)'"' => "&quot;"u8,
                // A parser would make a line feed of it.
                _ => "&#xD;"u8,
            });
            text = text[(next + 1)..];
        }
    }
}
