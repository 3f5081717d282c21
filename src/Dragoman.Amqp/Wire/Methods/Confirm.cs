namespace Dragoman.Amqp.Wire.Methods;

// Publisher confirms, a RabbitMQ extension: class 85 (AMQP 0-9-1 XML specification, and RabbitMQ's extensions of it).

/// <summary>Asks for confirms on the channel.</summary>
internal struct ConfirmSelect : IMethod<ConfirmSelect>
{
    public bool NoWait;

    public static MethodId Id => new(85, 10);

    public static void Walk<TVisitor>(ref ConfirmSelect method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Bit(ref method.NoWait);
    }
}

/// <summary>They come.</summary>
internal struct ConfirmSelectOk : IEmptyMethod<ConfirmSelectOk>
{
    public static MethodId Id => new(85, 11);
}
