namespace Dragoman.Amqp.Wire.Methods;

// Queues and their bindings: class 50 (AMQP 0-9-1 XML specification, and RabbitMQ's extensions of it).

/// <summary>Makes sure that a queue is there.</summary>
internal struct QueueDeclare : IMethod<QueueDeclare>
{
    public ushort Ticket;
    public string Queue;
    public bool Passive;
    public bool Durable;
    public bool Exclusive;
    public bool AutoDelete;
    public bool NoWait;
    public FieldTable Arguments;

    public static MethodId Id => new(50, 10);

    public static void Walk<TVisitor>(ref QueueDeclare method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Short(ref method.Ticket);
        visitor.ShortString(ref method.Queue);
        visitor.Bit(ref method.Passive);
        visitor.Bit(ref method.Durable);
        visitor.Bit(ref method.Exclusive);
        visitor.Bit(ref method.AutoDelete);
        visitor.Bit(ref method.NoWait);
        visitor.Table(ref method.Arguments);
    }
}

/// <summary>It is.</summary>
internal struct QueueDeclareOk : IMethod<QueueDeclareOk>
{
    public string Queue;
    public uint MessageCount;
    public uint ConsumerCount;

    public static MethodId Id => new(50, 11);

    public static void Walk<TVisitor>(ref QueueDeclareOk method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.ShortString(ref method.Queue);
        visitor.Long(ref method.MessageCount);
        visitor.Long(ref method.ConsumerCount);
    }
}

/// <summary>Carries messages from an exchange to a queue.</summary>
internal struct QueueBind : IMethod<QueueBind>
{
    public ushort Ticket;
    public string Queue;
    public string Exchange;
    public string RoutingKey;
    public bool NoWait;
    public FieldTable Arguments;

    public static MethodId Id => new(50, 20);

    public static void Walk<TVisitor>(ref QueueBind method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Short(ref method.Ticket);
        visitor.ShortString(ref method.Queue);
        visitor.ShortString(ref method.Exchange);
        visitor.ShortString(ref method.RoutingKey);
        visitor.Bit(ref method.NoWait);
        visitor.Table(ref method.Arguments);
    }
}

/// <summary>It does.</summary>
internal struct QueueBindOk : IEmptyMethod<QueueBindOk>
{
    public static MethodId Id => new(50, 21);
}

/// <summary>Drops the messages that wait in a queue.</summary>
internal struct QueuePurge : IMethod<QueuePurge>
{
    public ushort Ticket;
    public string Queue;
    public bool NoWait;

    public static MethodId Id => new(50, 30);

    public static void Walk<TVisitor>(ref QueuePurge method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Short(ref method.Ticket);
        visitor.ShortString(ref method.Queue);
        visitor.Bit(ref method.NoWait);
    }
}

/// <summary>So many are dropped.</summary>
internal struct QueuePurgeOk : IMethod<QueuePurgeOk>
{
    public uint MessageCount;

    public static MethodId Id => new(50, 31);

    public static void Walk<TVisitor>(ref QueuePurgeOk method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Long(ref method.MessageCount);
    }
}

/// <summary>Deletes a queue.</summary>
internal struct QueueDelete : IMethod<QueueDelete>
{
    public ushort Ticket;
    public string Queue;
    public bool IfUnused;
    public bool IfEmpty;
    public bool NoWait;

    public static MethodId Id => new(50, 40);

    public static void Walk<TVisitor>(ref QueueDelete method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Short(ref method.Ticket);
        visitor.ShortString(ref method.Queue);
        visitor.Bit(ref method.IfUnused);
        visitor.Bit(ref method.IfEmpty);
        visitor.Bit(ref method.NoWait);
    }
}

/// <summary>It is gone, with so many messages.</summary>
internal struct QueueDeleteOk : IMethod<QueueDeleteOk>
{
    public uint MessageCount;

    public static MethodId Id => new(50, 41);

    public static void Walk<TVisitor>(ref QueueDeleteOk method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Long(ref method.MessageCount);
    }
}

/// <summary>Ends a binding.</summary>
internal struct QueueUnbind : IMethod<QueueUnbind>
{
    public ushort Ticket;
    public string Queue;
    public string Exchange;
    public string RoutingKey;
    public FieldTable Arguments;

    public static MethodId Id => new(50, 50);

    public static void Walk<TVisitor>(ref QueueUnbind method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Short(ref method.Ticket);
        visitor.ShortString(ref method.Queue);
        visitor.ShortString(ref method.Exchange);
        visitor.ShortString(ref method.RoutingKey);
        visitor.Table(ref method.Arguments);
    }
}

/// <summary>It has ended.</summary>
internal struct QueueUnbindOk : IEmptyMethod<QueueUnbindOk>
{
    public static MethodId Id => new(50, 51);
}
