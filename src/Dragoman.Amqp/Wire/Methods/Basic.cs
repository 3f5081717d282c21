namespace Dragoman.Amqp.Wire.Methods;

// Messages. Publish, deliver and acknowledge are also written and read without these, where it has to be fast: class 60 (AMQP 0-9-1 XML specification, and RabbitMQ's extensions of it).

/// <summary>Limits what is delivered and not acknowledged yet.</summary>
internal struct BasicQos : IMethod<BasicQos>
{
    public uint PrefetchSize;
    public ushort PrefetchCount;
    public bool Global;

    public static MethodId Id => new(60, 10);

    public static void Walk<TVisitor>(ref BasicQos method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Long(ref method.PrefetchSize);
        visitor.Short(ref method.PrefetchCount);
        visitor.Bit(ref method.Global);
    }
}

/// <summary>It is limited.</summary>
internal struct BasicQosOk : IEmptyMethod<BasicQosOk>
{
    public static MethodId Id => new(60, 11);
}

/// <summary>Begins deliveries from a queue.</summary>
internal struct BasicConsume : IMethod<BasicConsume>
{
    public ushort Ticket;
    public string Queue;
    public string ConsumerTag;
    public bool NoLocal;
    public bool NoAck;
    public bool Exclusive;
    public bool NoWait;
    public FieldTable Arguments;

    public static MethodId Id => new(60, 20);

    public static void Walk<TVisitor>(ref BasicConsume method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Short(ref method.Ticket);
        visitor.ShortString(ref method.Queue);
        visitor.ShortString(ref method.ConsumerTag);
        visitor.Bit(ref method.NoLocal);
        visitor.Bit(ref method.NoAck);
        visitor.Bit(ref method.Exclusive);
        visitor.Bit(ref method.NoWait);
        visitor.Table(ref method.Arguments);
    }
}

/// <summary>They begin.</summary>
internal struct BasicConsumeOk : IMethod<BasicConsumeOk>
{
    public string ConsumerTag;

    public static MethodId Id => new(60, 21);

    public static void Walk<TVisitor>(ref BasicConsumeOk method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.ShortString(ref method.ConsumerTag);
    }
}

/// <summary>Ends them; from the server, says that they have ended.</summary>
internal struct BasicCancel : IMethod<BasicCancel>
{
    public string ConsumerTag;
    public bool NoWait;

    public static MethodId Id => new(60, 30);

    public static void Walk<TVisitor>(ref BasicCancel method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.ShortString(ref method.ConsumerTag);
        visitor.Bit(ref method.NoWait);
    }
}

/// <summary>They have ended.</summary>
internal struct BasicCancelOk : IMethod<BasicCancelOk>
{
    public string ConsumerTag;

    public static MethodId Id => new(60, 31);

    public static void Walk<TVisitor>(ref BasicCancelOk method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.ShortString(ref method.ConsumerTag);
    }
}

/// <summary>Sends a message, whose content follows.</summary>
internal struct BasicPublish : IMethod<BasicPublish>
{
    public ushort Ticket;
    public string Exchange;
    public string RoutingKey;
    public bool Mandatory;
    public bool Immediate;

    public static MethodId Id => new(60, 40);

    public static void Walk<TVisitor>(ref BasicPublish method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Short(ref method.Ticket);
        visitor.ShortString(ref method.Exchange);
        visitor.ShortString(ref method.RoutingKey);
        visitor.Bit(ref method.Mandatory);
        visitor.Bit(ref method.Immediate);
    }
}

/// <summary>Gives a mandatory message back, whose content follows.</summary>
internal struct BasicReturn : IMethod<BasicReturn>
{
    public ushort Code;
    public string Text;
    public string Exchange;
    public string RoutingKey;

    public static MethodId Id => new(60, 50);

    public static void Walk<TVisitor>(ref BasicReturn method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Short(ref method.Code);
        visitor.ShortString(ref method.Text);
        visitor.ShortString(ref method.Exchange);
        visitor.ShortString(ref method.RoutingKey);
    }
}

/// <summary>Hands a message over, whose content follows.</summary>
internal struct BasicDeliver : IMethod<BasicDeliver>
{
    public string ConsumerTag;
    public ulong DeliveryTag;
    public bool Redelivered;
    public string Exchange;
    public string RoutingKey;

    public static MethodId Id => new(60, 60);

    public static void Walk<TVisitor>(ref BasicDeliver method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.ShortString(ref method.ConsumerTag);
        visitor.LongLong(ref method.DeliveryTag);
        visitor.Bit(ref method.Redelivered);
        visitor.ShortString(ref method.Exchange);
        visitor.ShortString(ref method.RoutingKey);
    }
}

/// <summary>Asks for one message.</summary>
internal struct BasicGet : IMethod<BasicGet>
{
    public ushort Ticket;
    public string Queue;
    public bool NoAck;

    public static MethodId Id => new(60, 70);

    public static void Walk<TVisitor>(ref BasicGet method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Short(ref method.Ticket);
        visitor.ShortString(ref method.Queue);
        visitor.Bit(ref method.NoAck);
    }
}

/// <summary>Hands it over; its content follows.</summary>
internal struct BasicGetOk : IMethod<BasicGetOk>
{
    public ulong DeliveryTag;
    public bool Redelivered;
    public string Exchange;
    public string RoutingKey;
    public uint MessageCount;

    public static MethodId Id => new(60, 71);

    public static void Walk<TVisitor>(ref BasicGetOk method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.LongLong(ref method.DeliveryTag);
        visitor.Bit(ref method.Redelivered);
        visitor.ShortString(ref method.Exchange);
        visitor.ShortString(ref method.RoutingKey);
        visitor.Long(ref method.MessageCount);
    }
}

/// <summary>There is none.</summary>
internal struct BasicGetEmpty : IMethod<BasicGetEmpty>
{
    public string Reserved1;

    public static MethodId Id => new(60, 72);

    public static void Walk<TVisitor>(ref BasicGetEmpty method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.ShortString(ref method.Reserved1);
    }
}

/// <summary>Says that messages are dealt with; from the server, that publishes are safe.</summary>
internal struct BasicAck : IMethod<BasicAck>
{
    public ulong DeliveryTag;
    public bool Multiple;

    public static MethodId Id => new(60, 80);

    public static void Walk<TVisitor>(ref BasicAck method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.LongLong(ref method.DeliveryTag);
        visitor.Bit(ref method.Multiple);
    }
}

/// <summary>Refuses a message.</summary>
internal struct BasicReject : IMethod<BasicReject>
{
    public ulong DeliveryTag;
    public bool Requeue;

    public static MethodId Id => new(60, 90);

    public static void Walk<TVisitor>(ref BasicReject method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.LongLong(ref method.DeliveryTag);
        visitor.Bit(ref method.Requeue);
    }
}

/// <summary>Asks for everything that is not acknowledged once more.</summary>
internal struct BasicRecoverAsync : IMethod<BasicRecoverAsync>
{
    public bool Requeue;

    public static MethodId Id => new(60, 100);

    public static void Walk<TVisitor>(ref BasicRecoverAsync method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Bit(ref method.Requeue);
    }
}

/// <summary>The same, with an answer.</summary>
internal struct BasicRecover : IMethod<BasicRecover>
{
    public bool Requeue;

    public static MethodId Id => new(60, 110);

    public static void Walk<TVisitor>(ref BasicRecover method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Bit(ref method.Requeue);
    }
}

/// <summary>It comes.</summary>
internal struct BasicRecoverOk : IEmptyMethod<BasicRecoverOk>
{
    public static MethodId Id => new(60, 111);
}

/// <summary>Refuses messages; from the server, publishes (a RabbitMQ extension).</summary>
internal struct BasicNack : IMethod<BasicNack>
{
    public ulong DeliveryTag;
    public bool Multiple;
    public bool Requeue;

    public static MethodId Id => new(60, 120);

    public static void Walk<TVisitor>(ref BasicNack method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.LongLong(ref method.DeliveryTag);
        visitor.Bit(ref method.Multiple);
        visitor.Bit(ref method.Requeue);
    }
}
