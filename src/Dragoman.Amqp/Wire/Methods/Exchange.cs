namespace Dragoman.Amqp.Wire.Methods;

// Exchanges, and the bindings between them: class 40 (AMQP 0-9-1 XML specification, and RabbitMQ's extensions of it).

/// <summary>Makes sure that an exchange is there.</summary>
internal struct ExchangeDeclare : IMethod<ExchangeDeclare>
{
    public ushort Ticket;
    public string Exchange;
    public string Type;
    public bool Passive;
    public bool Durable;
    public bool AutoDelete;
    public bool Internal;
    public bool NoWait;
    public FieldTable Arguments;

    public static MethodId Id => new(40, 10);

    public static void Walk<TVisitor>(ref ExchangeDeclare method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Short(ref method.Ticket);
        visitor.ShortString(ref method.Exchange);
        visitor.ShortString(ref method.Type);
        visitor.Bit(ref method.Passive);
        visitor.Bit(ref method.Durable);
        visitor.Bit(ref method.AutoDelete);
        visitor.Bit(ref method.Internal);
        visitor.Bit(ref method.NoWait);
        visitor.Table(ref method.Arguments);
    }
}

/// <summary>It is.</summary>
internal struct ExchangeDeclareOk : IEmptyMethod<ExchangeDeclareOk>
{
    public static MethodId Id => new(40, 11);
}

/// <summary>Deletes an exchange.</summary>
internal struct ExchangeDelete : IMethod<ExchangeDelete>
{
    public ushort Ticket;
    public string Exchange;
    public bool IfUnused;
    public bool NoWait;

    public static MethodId Id => new(40, 20);

    public static void Walk<TVisitor>(ref ExchangeDelete method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Short(ref method.Ticket);
        visitor.ShortString(ref method.Exchange);
        visitor.Bit(ref method.IfUnused);
        visitor.Bit(ref method.NoWait);
    }
}

/// <summary>It is gone.</summary>
internal struct ExchangeDeleteOk : IEmptyMethod<ExchangeDeleteOk>
{
    public static MethodId Id => new(40, 21);
}

/// <summary>Carries messages from one exchange to another (a RabbitMQ extension).</summary>
internal struct ExchangeBind : IMethod<ExchangeBind>
{
    public ushort Ticket;
    public string Destination;
    public string Source;
    public string RoutingKey;
    public bool NoWait;
    public FieldTable Arguments;

    public static MethodId Id => new(40, 30);

    public static void Walk<TVisitor>(ref ExchangeBind method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Short(ref method.Ticket);
        visitor.ShortString(ref method.Destination);
        visitor.ShortString(ref method.Source);
        visitor.ShortString(ref method.RoutingKey);
        visitor.Bit(ref method.NoWait);
        visitor.Table(ref method.Arguments);
    }
}

/// <summary>It does.</summary>
internal struct ExchangeBindOk : IEmptyMethod<ExchangeBindOk>
{
    public static MethodId Id => new(40, 31);
}

/// <summary>Ends that.</summary>
internal struct ExchangeUnbind : IMethod<ExchangeUnbind>
{
    public ushort Ticket;
    public string Destination;
    public string Source;
    public string RoutingKey;
    public bool NoWait;
    public FieldTable Arguments;

    public static MethodId Id => new(40, 40);

    public static void Walk<TVisitor>(ref ExchangeUnbind method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Short(ref method.Ticket);
        visitor.ShortString(ref method.Destination);
        visitor.ShortString(ref method.Source);
        visitor.ShortString(ref method.RoutingKey);
        visitor.Bit(ref method.NoWait);
        visitor.Table(ref method.Arguments);
    }
}

/// <summary>It has ended.</summary>
internal struct ExchangeUnbindOk : IEmptyMethod<ExchangeUnbindOk>
{
    public static MethodId Id => new(40, 51);
}
