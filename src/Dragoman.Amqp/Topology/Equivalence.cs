using Dragoman.Amqp.Wire;

namespace Dragoman.Amqp.Topology;

/// <summary>Compares a declaration with what is there: AMQP refuses to declare a thing a second time as another one.</summary>
internal static class Equivalence
{
    /// <summary>Compares a property.</summary>
    /// <exception cref="ChannelException">It is another.</exception>
    public static void Check(string name, bool existing, bool declared, string thing) => Check(name, existing ? "true" : "false", declared ? "true" : "false", thing);

    /// <inheritdoc cref="Check(string, bool, bool, string)"/>
    public static void Check(string name, string existing, string declared, string thing)
    {
        if (existing != declared) throw Differs(name, $"'{existing}'", $"'{declared}'", thing);
    }

    /// <summary>Compares an argument.</summary>
    /// <exception cref="ChannelException">It is another.</exception>
    public static void Check(string name, FieldTable existing, FieldTable declared, string thing)
    {
        var has = existing.TryGet(name, out var current);
        var wants = declared.TryGet(name, out var received);
        if (has == wants && (!has || current.IsEquivalentTo(received))) return;
        // Of a value that is another one the type goes without saying.
        if (has && wants) throw Differs(name, $"'{current}'", $"'{received}'", thing);
        throw Differs(name, has ? Describe(current) : "none", wants ? Describe(received) : "none", thing);
    }

    private static string Describe(in FieldValue value) => $"the value '{value}' of type '{value.TypeName}'";

    private static ChannelException Differs(string name, string existing, string declared, string thing) =>
        Errors.Precondition($"inequivalent arg '{name}' for {thing}: received {declared} but current is {existing}");
}
