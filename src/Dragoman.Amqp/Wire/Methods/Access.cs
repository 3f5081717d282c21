namespace Dragoman.Amqp.Wire.Methods;

// What is left of AMQP 0-8's access tickets: some clients still ask for one: class 30 (AMQP 0-9-1 XML specification, and RabbitMQ's extensions of it).

/// <summary>Asks for a ticket.</summary>
internal struct AccessRequest : IMethod<AccessRequest>
{
    public string Realm;
    public bool Exclusive;
    public bool Passive;
    public bool Active;
    public bool Write;
    public bool Read;

    public static MethodId Id => new(30, 10);

    public static void Walk<TVisitor>(ref AccessRequest method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.ShortString(ref method.Realm);
        visitor.Bit(ref method.Exclusive);
        visitor.Bit(ref method.Passive);
        visitor.Bit(ref method.Active);
        visitor.Bit(ref method.Write);
        visitor.Bit(ref method.Read);
    }
}

/// <summary>Grants it.</summary>
internal struct AccessRequestOk : IMethod<AccessRequestOk>
{
    public ushort Ticket;

    public static MethodId Id => new(30, 11);

    public static void Walk<TVisitor>(ref AccessRequestOk method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Short(ref method.Ticket);
    }
}
