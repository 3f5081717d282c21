using System.Globalization;
using Dragoman.Amqp.Wire;

namespace Dragoman.Amqp.Messages;

/// <summary>The header by which a message says how long an exchange of type <c>x-delayed-message</c> is to hold it back.</summary>
internal static class MessageDelay
{
    /// <summary>The longest delay, in milliseconds: that of the timers of RabbitMQ's plugin.</summary>
    private const long Max = uint.MaxValue;

    /// <summary>Its name. Milliseconds; integers, and strings and reals that can be read as one, count (rabbit_delayed_message_utils.erl).</summary>
    public static ReadOnlySpan<byte> Header => "x-delay"u8;

    /// <summary>Finds it in a headers table; 0 where there is none, or none that counts.</summary>
    public static long Find(ReadOnlySpan<byte> table)
    {
        var reader = new WireReader(table);
        while (!reader.Rest.IsEmpty)
        {
            if (!reader.ShortString().SequenceEqual(Header))
            {
                reader.SkipValue((FieldType)reader.Octet());
                continue;
            }
            var value = reader.Value();
            var delay = value.Class switch
            {
                FieldClass.Integer => value.Bits,
                FieldClass.Real => double.IsFinite(value.Real) && Math.Abs(value.Real) <= Max ? (long)value.Real : 0,
                FieldClass.Text => long.TryParse(value.Text, CultureInfo.InvariantCulture, out var number) ? number : 0,
                _ => 0L,
            };
            return delay is > 0 and <= Max ? delay : 0;
        }
        return 0;
    }
}
