using System.Text;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Routing.Filters;
using Dragoman.Fuzz.Fuzzing;
using Dragoman.Storage.Records;

namespace Dragoman.Fuzz.Targets;

/// <summary>Filter policies of SNS, and the messages that they look at: a byte that says what they look at, the policy, a zero, and a body.</summary>
internal sealed class FilterPolicies : FuzzTarget
{
    private static readonly string[] s_policies =
    [
        """{"a":["x",1,null,true],"b":[{"numeric":[">",0,"<=",100]}]}""",
        """{"a":[{"prefix":"x"},{"suffix":"y"},{"equals-ignore-case":"Z"},{"wildcard":"a*b*c"},{"exists":false}]}""",
        """{"a":[{"anything-but":["x",2]},{"anything-but":{"prefix":"p"}}],"ip":[{"cidr":"10.0.0.0/8"},{"cidr":"2001:db8::/32"}]}""",
        """{"$or":[{"a":["x"]},{"b":["y"],"$or":[{"c":[1]},{"d":[2]}]}]}""",
        """{"o":{"k":{"z":["é","\u00e9"]},"$or":[{"l":["x"]},{"m":["y"]}]}}""",
    ];

    private static readonly string[] s_bodies =
    [
        """{"a":"x","b":5,"ip":"10.1.2.3"}""",
        """{"o":[{"k":{"z":"\u00e9"}},{"l":["x",[{"m":null}]]}],"a":["y",1e3,-0.5]}""",
        """["x",1,true,null]""",
    ];

    public override byte[] Generate(Random random) =>
    [
        (byte)random.Next(2),
        .. Encoding.UTF8.GetBytes(s_policies[random.Next(s_policies.Length)]),
        0,
        .. Encoding.UTF8.GetBytes(s_bodies[random.Next(s_bodies.Length)]),
    ];

    public override bool Decode(byte[] input, Random random)
    {
        if (input.Length == 0) return false;
        var end = Array.IndexOf(input, (byte)0, 1);
        if (end < 0) end = input.Length;
        var policy = FilterPolicy.Parse(Encoding.UTF8.GetString(input, 1, end - 1), input[0] % 2 == 0 ? FilterScope.Attributes : FilterScope.Body);
        var body = input.AsSpan(Math.Min(input.Length, end + 1));
        using var headers = new RecordHeadersWriter();
        using var types = new PooledBuffer();
        headers.Add("a", body);
        headers.Add("b", body);
        HeaderTypes.Add(types, "a"u8, "String.Array"u8);
        HeaderTypes.Add(types, "b"u8, "Number"u8);
        headers.Add(HeaderTypes.Header, types.WrittenSpan);
        using var batch = MessageBatch.Rent();
        batch.Add(new MessageProperties { Timestamp = 1 }, default, body, headers.Headers);
        var (first, second) = (false, false);
        batch.ForEach((in Dragoman.Broker.Subscriptions.MessageView message) => first = policy.Matches(message));
        batch.ForEach((in Dragoman.Broker.Subscriptions.MessageView message) => second = policy.Matches(message));
        if (first != second) throw new FuzzFailedException("A policy says of one message now this, now that.");
        return true;
    }

    public override bool IsRefusal(Exception error) => error is FilterPolicyException;

    public override long MostAllocated(byte[] input) => (256 << 10) + input.Length * 2000L;
}
