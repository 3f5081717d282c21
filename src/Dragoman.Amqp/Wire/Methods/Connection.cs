namespace Dragoman.Amqp.Wire.Methods;

// The life of a connection: class 10 (AMQP 0-9-1 XML specification, and RabbitMQ's extensions of it).

/// <summary>The server says what it is and how one may log in.</summary>
internal struct ConnectionStart : IMethod<ConnectionStart>
{
    public byte VersionMajor;
    public byte VersionMinor;
    public FieldTable ServerProperties;
    public byte[] Mechanisms;
    public byte[] Locales;

    public static MethodId Id => new(10, 10);

    public static void Walk<TVisitor>(ref ConnectionStart method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Octet(ref method.VersionMajor);
        visitor.Octet(ref method.VersionMinor);
        visitor.Table(ref method.ServerProperties);
        visitor.LongString(ref method.Mechanisms);
        visitor.LongString(ref method.Locales);
    }
}

/// <summary>The client says what it is, and logs in.</summary>
internal struct ConnectionStartOk : IMethod<ConnectionStartOk>
{
    public FieldTable ClientProperties;
    public string Mechanism;
    public byte[] Response;
    public string Locale;

    public static MethodId Id => new(10, 11);

    public static void Walk<TVisitor>(ref ConnectionStartOk method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Table(ref method.ClientProperties);
        visitor.ShortString(ref method.Mechanism);
        visitor.LongString(ref method.Response);
        visitor.ShortString(ref method.Locale);
    }
}

/// <summary>The server asks on.</summary>
internal struct ConnectionSecure : IMethod<ConnectionSecure>
{
    public byte[] Challenge;

    public static MethodId Id => new(10, 20);

    public static void Walk<TVisitor>(ref ConnectionSecure method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.LongString(ref method.Challenge);
    }
}

/// <summary>The client answers.</summary>
internal struct ConnectionSecureOk : IMethod<ConnectionSecureOk>
{
    public byte[] Response;

    public static MethodId Id => new(10, 21);

    public static void Walk<TVisitor>(ref ConnectionSecureOk method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.LongString(ref method.Response);
    }
}

/// <summary>The server proposes limits.</summary>
internal struct ConnectionTune : IMethod<ConnectionTune>
{
    public ushort ChannelMax;
    public uint FrameMax;
    public ushort Heartbeat;

    public static MethodId Id => new(10, 30);

    public static void Walk<TVisitor>(ref ConnectionTune method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Short(ref method.ChannelMax);
        visitor.Long(ref method.FrameMax);
        visitor.Short(ref method.Heartbeat);
    }
}

/// <summary>The client settles them.</summary>
internal struct ConnectionTuneOk : IMethod<ConnectionTuneOk>
{
    public ushort ChannelMax;
    public uint FrameMax;
    public ushort Heartbeat;

    public static MethodId Id => new(10, 31);

    public static void Walk<TVisitor>(ref ConnectionTuneOk method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Short(ref method.ChannelMax);
        visitor.Long(ref method.FrameMax);
        visitor.Short(ref method.Heartbeat);
    }
}

/// <summary>The client chooses a virtual host.</summary>
internal struct ConnectionOpen : IMethod<ConnectionOpen>
{
    public string VirtualHost;
    public string Reserved1;
    public bool Reserved2;

    public static MethodId Id => new(10, 40);

    public static void Walk<TVisitor>(ref ConnectionOpen method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.ShortString(ref method.VirtualHost);
        visitor.ShortString(ref method.Reserved1);
        visitor.Bit(ref method.Reserved2);
    }
}

/// <summary>The connection can be used.</summary>
internal struct ConnectionOpenOk : IMethod<ConnectionOpenOk>
{
    public string Reserved1;

    public static MethodId Id => new(10, 41);

    public static void Walk<TVisitor>(ref ConnectionOpenOk method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.ShortString(ref method.Reserved1);
    }
}

/// <summary>Either side ends the connection.</summary>
internal struct ConnectionClose : IMethod<ConnectionClose>
{
    public ushort Code;
    public string Text;
    public ushort ClassId;
    public ushort MethodId;

    public static MethodId Id => new(10, 50);

    public static void Walk<TVisitor>(ref ConnectionClose method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.Short(ref method.Code);
        visitor.ShortString(ref method.Text);
        visitor.Short(ref method.ClassId);
        visitor.Short(ref method.MethodId);
    }
}

/// <summary>The other side has understood.</summary>
internal struct ConnectionCloseOk : IEmptyMethod<ConnectionCloseOk>
{
    public static MethodId Id => new(10, 51);
}

/// <summary>Publishing is on hold (a RabbitMQ extension).</summary>
internal struct ConnectionBlocked : IMethod<ConnectionBlocked>
{
    public string Reason;

    public static MethodId Id => new(10, 60);

    public static void Walk<TVisitor>(ref ConnectionBlocked method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.ShortString(ref method.Reason);
    }
}

/// <summary>Publishing goes on.</summary>
internal struct ConnectionUnblocked : IEmptyMethod<ConnectionUnblocked>
{
    public static MethodId Id => new(10, 61);
}

/// <summary>The client renews its token (a RabbitMQ extension).</summary>
internal struct ConnectionUpdateSecret : IMethod<ConnectionUpdateSecret>
{
    public byte[] NewSecret;
    public string Reason;

    public static MethodId Id => new(10, 70);

    public static void Walk<TVisitor>(ref ConnectionUpdateSecret method, ref TVisitor visitor)
        where TVisitor : IFieldVisitor, allows ref struct
    {
        visitor.LongString(ref method.NewSecret);
        visitor.ShortString(ref method.Reason);
    }
}

/// <summary>The new token is good.</summary>
internal struct ConnectionUpdateSecretOk : IEmptyMethod<ConnectionUpdateSecretOk>
{
    public static MethodId Id => new(10, 71);
}
