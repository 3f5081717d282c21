namespace Dragoman.Amqp.Wire.Methods;

// The life of a channel: class 20 (AMQP 0-9-1 XML specification, and RabbitMQ's extensions of it).

/// <summary>Opens a channel.</summary>
internal struct ChannelOpen : IMethod<ChannelOpen>
{
    public string Reserved1;

    public static MethodId Id => new(20, 10);

    public static void Walk<TVisitor>(ref ChannelOpen method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.ShortString(ref method.Reserved1);
    }
}

/// <summary>It is open.</summary>
internal struct ChannelOpenOk : IMethod<ChannelOpenOk>
{
    public byte[] Reserved1;

    public static MethodId Id => new(20, 11);

    public static void Walk<TVisitor>(ref ChannelOpenOk method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.LongString(ref method.Reserved1);
    }
}

/// <summary>Asks the other side to stop or go on sending content.</summary>
internal struct ChannelFlow : IMethod<ChannelFlow>
{
    public bool Active;

    public static MethodId Id => new(20, 20);

    public static void Walk<TVisitor>(ref ChannelFlow method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Bit(ref method.Active);
    }
}

/// <summary>It does.</summary>
internal struct ChannelFlowOk : IMethod<ChannelFlowOk>
{
    public bool Active;

    public static MethodId Id => new(20, 21);

    public static void Walk<TVisitor>(ref ChannelFlowOk method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Bit(ref method.Active);
    }
}

/// <summary>Either side ends the channel.</summary>
internal struct ChannelClose : IMethod<ChannelClose>
{
    public ushort Code;
    public string Text;
    public ushort ClassId;
    public ushort MethodId;

    public static MethodId Id => new(20, 40);

    public static void Walk<TVisitor>(ref ChannelClose method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Short(ref method.Code);
        visitor.ShortString(ref method.Text);
        visitor.Short(ref method.ClassId);
        visitor.Short(ref method.MethodId);
    }
}

/// <summary>The other side has understood.</summary>
internal struct ChannelCloseOk : IEmptyMethod<ChannelCloseOk>
{
    public static MethodId Id => new(20, 41);
}
