namespace Dragoman.Amqp.Wire;

/// <summary>Walks the fields of a method in the order in which they stand on the wire: one to read, one to write.</summary>
internal interface IFieldVisitor
{
    void Octet(ref byte value);

    void Short(ref ushort value);

    void Long(ref uint value);

    void LongLong(ref ulong value);

    /// <summary>A string of at most 255 bytes of UTF-8.</summary>
    void ShortString(ref string value);

    void LongString(ref byte[] value);

    void Table(ref FieldTable value);

    /// <summary>A truth value; up to eight in a row share an octet.</summary>
    void Bit(ref bool value);
}

/// <summary>A method's class and number.</summary>
internal readonly record struct MethodId(ushort Class, ushort Method)
{
    /// <summary>Both in one number, as the first four bytes of a method frame have them.</summary>
    public uint Number => (uint)Class << 16 | Method;
}

/// <summary>
/// A method, declared once: <see cref="Walk"/> names its fields in wire order, and reading, writing and printing all
/// follow from that.
/// </summary>
/// <typeparam name="TSelf">The method itself.</typeparam>
internal interface IMethod<TSelf>
    where TSelf : struct, IMethod<TSelf>
{
    /// <summary>Its class and number.</summary>
    static abstract MethodId Id { get; }

    /// <summary>Takes a visitor past the fields.</summary>
    static abstract void Walk<TVisitor>(ref TSelf method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct;
}

/// <summary>A method without fields.</summary>
internal interface IEmptyMethod<TSelf> : IMethod<TSelf>
    where TSelf : struct, IEmptyMethod<TSelf>
{
    static void IMethod<TSelf>.Walk<TVisitor>(ref TSelf method, ref TVisitor visitor)
    {
    }
}
