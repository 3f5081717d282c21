namespace Dragoman.Aws.Http;

/// <summary>
/// What an operation answers, written in whichever protocol was asked in. Members are named as in the JSON protocol; lists
/// and maps also by what the Query protocol calls their elements, where they are flattened into the structure that holds them.
/// </summary>
internal abstract class Output
{
    /// <summary>Writes a text.</summary>
    public abstract void Text(string name, string value);

    /// <summary>Writes a text given as UTF-8.</summary>
    public abstract void Utf8(string name, ReadOnlySpan<byte> value);

    /// <summary>Writes a whole number.</summary>
    public abstract void Integer(string name, long value);

    /// <summary>Writes a truth value.</summary>
    public abstract void Truth(string name, bool value);

    /// <summary>Writes bytes, in Base64.</summary>
    public abstract void Bytes(string name, ReadOnlySpan<byte> value);

    /// <summary>Begins a structure.</summary>
    public abstract void BeginStructure(string name);

    /// <summary>Ends a structure.</summary>
    public abstract void EndStructure();

    /// <summary>Begins a list, of structures or texts.</summary>
    public abstract void BeginList(string name, string element);

    /// <summary>Begins a structure of a list.</summary>
    public abstract void BeginItem();

    /// <summary>Ends a structure of a list.</summary>
    public abstract void EndItem();

    /// <summary>Writes a text of a list.</summary>
    public abstract void Item(string value);

    /// <summary>Ends a list.</summary>
    public abstract void EndList();

    /// <summary>Begins a map.</summary>
    public abstract void BeginMap(string name, string element, string key = "Name", string value = "Value");

    /// <summary>Writes a text of a map.</summary>
    public abstract void Entry(string key, string value);

    /// <summary>Begins a structure of a map.</summary>
    public abstract void BeginEntry(string key);

    /// <summary>Ends a structure of a map.</summary>
    public abstract void EndEntry();

    /// <summary>Ends a map.</summary>
    public abstract void EndMap();

    /// <summary>Writes a text, if there is one.</summary>
    public void OptionalText(string name, string? value)
    {
        if (value is not null) Text(name, value);
    }
}
