using System.Text;

namespace Dragoman.Kafka.Generators;

/// <summary>Source text with indentation.</summary>
internal sealed class CodeText
{
    private readonly StringBuilder _text = new();
    private int _depth;

    public CodeText Line(string line = "")
    {
        if (line.Length > 0)
            _text.Append(' ', _depth * 4).Append(line);
        _text.Append('\n');
        return this;
    }

    public CodeText Open(string? line = null)
    {
        if (line is not null)
            Line(line);
        Line("{");
        _depth++;
        return this;
    }

    public CodeText Close(string suffix = "")
    {
        _depth--;
        return Line("}" + suffix);
    }

    /// <summary>Opens a block for a condition, unless it is always true. Close with <see cref="EndIf"/>.</summary>
    public CodeText If(string condition) => condition == "true" ? Open() : Open($"if ({condition})");

    public CodeText EndIf() => Close();

    public override string ToString() => _text.ToString();
}
