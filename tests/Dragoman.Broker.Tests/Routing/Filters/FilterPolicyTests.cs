using System.Text;
using System.Text.Json;
using CsCheck;
using Dragoman.Broker.Messages;
using Dragoman.Broker.Routing.Filters;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Tests.Routing.Filters;

/// <summary>Filter policies of SNS: what they let through, and what AWS says of those that are none.</summary>
public sealed class FilterPolicyTests
{
    private static bool Matches(FilterPolicy policy, string body, params (string Name, string Type, string Value)[] attributes)
    {
        using var headers = new RecordHeadersWriter();
        using var types = new PooledBuffer();
        foreach (var (name, type, value) in attributes)
        {
            headers.Add(name, Encoding.UTF8.GetBytes(value));
            if (type != "String") HeaderTypes.Add(types, Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(type));
        }
        if (types.Length > 0) headers.Add(HeaderTypes.Header, types.WrittenSpan);
        using var batch = MessageBatch.Rent();
        batch.Add(new MessageProperties { Timestamp = 1 }, default, Encoding.UTF8.GetBytes(body), headers.Headers);
        var matches = false;
        batch.ForEach((in Dragoman.Broker.Subscriptions.MessageView message) => matches = policy.Matches(message));
        return matches;
    }

    private static bool MatchesBody(string policy, string body) => Matches(FilterPolicy.Parse(policy, FilterScope.Body), body);

    private static bool MatchesAttribute(string policy, string type, string value) => Matches(FilterPolicy.Parse(policy, FilterScope.Attributes), "", ("a", type, value));

    [Theory]
    [InlineData("""{"a":["red","blue"]}""", "String", "blue", true)]
    [InlineData("""{"a":["red","blue"]}""", "String", "green", false)]
    [InlineData("""{"a":["red"]}""", "String", "Red", false)]
    [InlineData("""{"a":[{"equals-ignore-case":"RED"}]}""", "String", "rEd", true)]
    [InlineData("""{"a":[{"equals-ignore-case":"ÉTÉ"}]}""", "String", "été", true)]
    [InlineData("""{"a":[{"prefix":"bas"}]}""", "String", "baseball", true)]
    [InlineData("""{"a":[{"suffix":"ball"}]}""", "String", "baseball", true)]
    [InlineData("""{"a":[{"suffix":"bat"}]}""", "String", "baseball", false)]
    [InlineData("""{"a":[{"wildcard":"*ball"}]}""", "String", "baseball", true)]
    [InlineData("""{"a":[{"wildcard":"b*b*l"}]}""", "String", "baseball", true)]
    [InlineData("""{"a":[{"wildcard":"b*x*l"}]}""", "String", "baseball", false)]
    [InlineData("""{"a":[{"wildcard":"aa*aa"}]}""", "String", "aaa", false)]
    [InlineData("""{"a":[{"wildcard":"a\\*b"}]}""", "String", "a*b", true)]
    [InlineData("""{"a":[{"wildcard":"a\\*b"}]}""", "String", "axb", false)]
    [InlineData("""{"a":[{"anything-but":["x","y"]}]}""", "String", "z", true)]
    [InlineData("""{"a":[{"anything-but":["x","y"]}]}""", "String", "x", false)]
    [InlineData("""{"a":[{"anything-but":"x"}]}""", "String", "x", false)]
    [InlineData("""{"a":[{"anything-but":{"prefix":"order-"}}]}""", "String", "order-1", false)]
    [InlineData("""{"a":[{"anything-but":{"prefix":"order-"}}]}""", "String", "ord-1", true)]
    [InlineData("""{"a":[{"anything-but":{"wildcard":"*-1"}}]}""", "String", "ord-1", false)]
    [InlineData("""{"a":[{"anything-but":[1,2]}]}""", "Number", "2.0", false)]
    [InlineData("""{"a":[{"anything-but":[1,2]}]}""", "Number", "3", true)]
    [InlineData("""{"a":[300]}""", "Number", "3.0e2", true)]
    [InlineData("""{"a":[300]}""", "String", "300", false)]
    [InlineData("""{"a":["300"]}""", "Number", "300", false)]
    [InlineData("""{"a":[{"numeric":["=",0]}]}""", "Number", "-0.0", true)]
    [InlineData("""{"a":[{"numeric":[">",0,"<=",100]}]}""", "Number", "100", true)]
    [InlineData("""{"a":[{"numeric":[">",0,"<=",100]}]}""", "Number", "0", false)]
    [InlineData("""{"a":[{"numeric":[">",0,"<=",100]}]}""", "Number.int", "7", true)]
    [InlineData("""{"a":[{"numeric":[">",0,"<=",100]}]}""", "l", "7", true)]
    [InlineData("""{"a":[{"numeric":[">",0]}]}""", "String", "7", false)]
    [InlineData("""{"a":[{"exists":true}]}""", "String", "any", true)]
    [InlineData("""{"a":[{"exists":false}]}""", "String", "any", false)]
    [InlineData("""{"b":[{"exists":false}]}""", "String", "any", true)]
    [InlineData("""{"b":[{"exists":true}]}""", "String", "any", false)]
    [InlineData("""{"a":[{"exists":true}]}""", "Binary", "any", false)]
    [InlineData("""{"a":[{"cidr":"10.0.0.0/24"}]}""", "String", "10.0.0.255", true)]
    [InlineData("""{"a":[{"cidr":"10.0.0.0/24"}]}""", "String", "10.0.1.0", false)]
    [InlineData("""{"a":[{"cidr":"2001:db8:1234:1a00::/64"}]}""", "String", "2001:0db8:1234:1a00::1", true)]
    [InlineData("""{"a":[{"cidr":"10.0.0.0/24"}]}""", "String", "no address", false)]
    [InlineData("""{"a":["red"]}""", "String.Array", """["blue","red"]""", true)]
    [InlineData("""{"a":["red"]}""", "String.Array", """["blue"]""", false)]
    [InlineData("""{"a":[true]}""", "String.Array", """["blue",true]""", true)]
    [InlineData("""{"a":[null]}""", "String.Array", """[null]""", true)]
    [InlineData("""{"a":[{"numeric":["<",5]}]}""", "String.Array", """["blue",4]""", true)]
    [InlineData("""{"a":[{"anything-but":["x"]}]}""", "String.Array", """["x","y"]""", true)]
    [InlineData("""{"a":["red"]}""", "String.Array", "no list", false)]
    [InlineData("""{"$or":[{"a":["red"]},{"b":["x"]}]}""", "String", "red", true)]
    [InlineData("""{"$or":[{"a":["blue"]},{"b":[{"exists":false}]}]}""", "String", "red", true)]
    [InlineData("""{"$or":[{"a":["blue"]},{"b":["x"]}]}""", "String", "red", false)]
    [InlineData("{}", "String", "red", true)]
    public void Attributes_are_looked_at(string policy, string type, string value, bool matches) => Assert.Equal(matches, MatchesAttribute(policy, type, value));

    [Fact]
    public void All_keys_must_match()
    {
        var policy = FilterPolicy.Parse("""{"a":["x"],"b":[{"numeric":[">",1]}]}""", FilterScope.Attributes);
        Assert.True(Matches(policy, "", ("a", "String", "x"), ("b", "Number", "2")));
        Assert.False(Matches(policy, "", ("a", "String", "x"), ("b", "Number", "1")));
        Assert.False(Matches(policy, "", ("b", "Number", "2")));
    }

    [Theory]
    [InlineData("""{"a":["x"]}""", """{"a":"x"}""", true)]
    [InlineData("""{"a":["x"]}""", """{"a":["y","x"]}""", true)]
    [InlineData("""{"a":["x"]}""", """["x"]""", false)]
    [InlineData("""{"a":["x"]}""", "no json", false)]
    [InlineData("""{"a":["x"]}""", """{"a":"x"} trailing""", false)]
    [InlineData("""{"a":["x"]}""", """{"a":"\u0078"}""", true)]
    [InlineData("""{"a":[{"exists":false}]}""", """{"b":1}""", true)]
    [InlineData("""{"a":[{"exists":true}]}""", """{"a":[]}""", false)]
    [InlineData("""{"a":[null]}""", """{"a":null}""", true)]
    [InlineData("""{"a":[""]}""", """{"a":""}""", true)]
    [InlineData("""{"o":{"k":[{"prefix":"auto-"}]}}""", """{"o":{"k":"auto-1"}}""", true)]
    [InlineData("""{"o":{"k":[{"prefix":"auto-"}]}}""", """{"k":"auto-1"}""", false)]
    [InlineData("""{"o":{"k":["x"]}}""", """{"o":[{"z":1},{"k":"x"}]}""", true)]
    [InlineData("""{"o":{"k":["x"]}}""", """{"o":[[{"k":"x"}]]}""", true)]
    [InlineData("""{"o":{"k":["x"],"z":[1]}}""", """{"o":[{"z":1,"k":"y"},{"z":2,"k":"x"}]}""", true)]
    [InlineData("""{"o.k":["x"]}""", """{"o":{"k":"x"}}""", true)]
    [InlineData("""{"o":{"k":["x"]}}""", """{"o.k":"x"}""", true)]
    [InlineData("""{"a":["x"],"c":[1]}""", """{"z":[{"a":"y"}],"a":"x","b":{"c":2},"c":1}""", true)]
    [InlineData("""{"d":{"s":["S"],"$or":[{"x":["1"]},{"y":["2"]}]}}""", """{"d":{"s":"S","y":"2"}}""", true)]
    [InlineData("""{"d":{"s":["S"],"$or":[{"x":["1"]},{"y":["2"]}]}}""", """{"d":{"s":"S"},"y":"2"}""", false)]
    [InlineData("""{"a":[{"numeric":["=",3.015e2]}]}""", """{"a":301.50}""", true)]
    public void Bodies_are_looked_at(string policy, string body, bool matches) => Assert.Equal(matches, MatchesBody(policy, body));

    // Recorded answers of AWS.
    [Theory]
    [InlineData("""{"key":[["value"]]}""", "Match value must be String, number, true, false, or null", 10)]
    [InlineData("""{"key":[{"wrong-operator":true}]}""", "Unrecognized match type wrong-operator", 31)]
    [InlineData("""{"key":[{"suffix":"value","prefix":"value2"}]}""", "Only one key allowed in match expression", 37)]
    [InlineData("""{"key":[]}""", "Empty arrays are not allowed", 10)]
    [InlineData("""{"key":[{"suffix":100}]}""", "suffix match pattern must be a string", 22)]
    [InlineData("""{"key":[{"suffix":null}]}""", "suffix match pattern must be a string", 23)]
    [InlineData("""{"key":{"suffix":"value"}}""", "\"suffix\" must be an object or an array", 19)]
    [InlineData("""{"key":[{"suffix":[]}]}""", "suffix match pattern must be a string", 20)]
    [InlineData("""{"key":{"not-an-operator":"value"}}""", "\"not-an-operator\" must be an object or an array", 28)]
    [InlineData("""{"key":[{"cidr":["bad-filter"]}]}""", "prefix match pattern must be a string", 18)]
    [InlineData("""{"key":[{"cidr":"bad-filter"}]}""", "Malformed CIDR, one '/' required", 0)]
    [InlineData("""{"key":[{"cidr":"bad-filter/64"}]}""", "Nonstandard IP address: bad-filter", 0)]
    [InlineData("""{"key":[{"cidr":"bad-/64filter"}]}""", "Malformed CIDR, mask bits must be an integer", 0)]
    [InlineData("""{"key":[{"numeric":[]}]}""", "Invalid member in numeric match: ]", 22)]
    [InlineData("""{"key":[{"numeric":["operator"]}]}""", "Unrecognized numeric range operator: operator", 32)]
    [InlineData("""{"key":[{"numeric":[1,"<="]}]}""", "Invalid member in numeric match: 1", 22)]
    [InlineData("""{"key":[{"numeric":["=","000"]}]}""", "Value of equals must be numeric", 26)]
    [InlineData("""{"key":[{"numeric":[">="]}]}""", "Value of >= must be numeric", 26)]
    [InlineData("""{"key":[{"numeric":["<",100,">",10]}]}""", "Too many elements in numeric expression", 30)]
    [InlineData("""{"key":[{"numeric":[">=",1,">",2]}]}""", "Bad numeric range operator: >", 31)]
    [InlineData("""{"key":[{"numeric":[">",3,"<",1]}]}""", "Bottom must be less than top", 33)]
    [InlineData("""{"key":[{"numeric":[">",20,"<="]}]}""", "Value of <= must be numeric", 33)]
    [InlineData("""{"key":[{"numeric":[">",20,30]}]}""", "Bad value in numeric range: 30", 30)]
    [InlineData("""{"key":[{"numeric":[">",20,"test"]}]}""", "Bad numeric range operator: test", 34)]
    [InlineData("""{"key":[{"numeric":[">",20,"<","30"]}]}""", "Value of < must be numeric", 33)]
    [InlineData("""{"key":[{"numeric":[">",20,"<",30,"<",50]}]}""", "Too many terms in numeric range expression", 36)]
    [InlineData("""{"key":[{"exists":null}]}""", "exists match pattern must be either true or false.", 23)]
    [InlineData("""{"key":[{"exists":"no"}]}""", "exists match pattern must be either true or false.", 20)]
    [InlineData("""{"key":[{"anything-but":{"wrong-operator":null}}]}""", "Unsupported anything-but pattern: wrong-operator", 47)]
    [InlineData("""{"key":[{"anything-but":{"exists":false}}]}""", "Unsupported anything-but pattern: exists", 40)]
    [InlineData("""{"key":[{"anything-but":{"prefix":false}}]}""", "prefix match pattern must be a string", 40)]
    public void What_is_no_policy_is_refused_as_AWS_does(string policy, string message, int column)
    {
        var error = Assert.Throws<FilterPolicyException>(() => FilterPolicy.Parse(policy, FilterScope.Attributes));
        Assert.Equal(column == 0 ? message : $"{message}\n at [Source: (String)\"{policy}\"; line: 1, column: {column}]", error.Message);
    }

    [Theory]
    [InlineData("invalid-json", "failed to parse JSON. Unrecognized token 'invalid': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')", 8)]
    [InlineData("{invalid-json}", "failed to parse JSON. Unexpected character ('i' (code 105)): was expecting double-quote to start field name", 2)]
    public void What_is_no_JSON_is_refused_as_AWS_does(string policy, string message, int column)
    {
        var error = Assert.Throws<FilterPolicyException>(() => FilterPolicy.Parse(policy, FilterScope.Attributes));
        Assert.Equal($"{message}\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 1, column: {column}]", error.Message);
    }

    [Fact]
    public void A_policy_has_limits()
    {
        Refused(Values("key", 151), "Filter policy is too complex");
        Accepted(Values("key", 150));
        Refused(Values("a", 100)[..^1] + "," + Values("b", 51)[1..], "Filter policy is too complex");
        Refused("""{"a":[1],"b":[1],"c":[1],"d":[1],"e":[1],"f":[1]}""", "Filter policy can not have more than 5 keys");
        // 3 x 4 x 2 x 3 x 1 x 3
        Refused("""{"a":{"b":{"c":["1","2","3","4"]}},"d":{"e":["1","2","3"]},"f":["1","2","3"]}""", "Filter policy is too complex");
        Accepted("""{"a":{"b":{"c":["1","2","3","4"]}},"d":{"e":["1","2","3"]},"f":["1","2"]}""");
        // (3 x 6) + (3 x 4 x 4) + (3 x 4 x 7)
        Accepted("""{"s":["1","2","3"],"$or":[{"n":["1","2","3","4","5","6"]},{"t":["1","2","3","4"],"$or":[{"m":[1,2,3,4]},{"p":[1,2,3,4,5,6,7]}]}]}""");
        Refused("""{"s":["1","2","3"],"$or":[{"n":["1","2","3","4","5","6"]},{"t":["1","2","3","4"],"$or":[{"m":[1,2,3,4]},{"p":[1,2,3,4,5,6,7,8]}]}]}""", "Filter policy is too complex");
        Assert.Equal("Filter policy scope MessageAttributes does not support nested filter policy",
            Assert.Throws<FilterPolicyException>(() => FilterPolicy.Parse("""{"a":{"b":["x"]}}""", FilterScope.Attributes)).Message);
        Refused("""{"a":[{"wildcard":"a*b*c*d*e"}]}""", "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character");

        static string Values(string key, int count) => $"{{\"{key}\":[{string.Join(",", Enumerable.Range(0, count).Select(static i => $"\"v{i}\""))}]}}";

        static void Accepted(string policy) => FilterPolicy.Parse(policy, FilterScope.Body);

        static void Refused(string policy, string message) => Assert.Equal(message, Assert.Throws<FilterPolicyException>(() => FilterPolicy.Parse(policy, FilterScope.Body)).Message);
    }

    [Fact]
    public void Looking_at_attributes_allocates_nothing()
    {
        var policy = FilterPolicy.Parse("""{"a":["x",{"prefix":"b"}],"n":[{"numeric":[">",1]}]}""", FilterScope.Attributes);
        using var headers = new RecordHeadersWriter();
        using var types = new PooledBuffer();
        headers.Add("a", "by"u8);
        headers.Add("n", "17"u8);
        HeaderTypes.Add(types, "n"u8, "Number"u8);
        headers.Add(HeaderTypes.Header, types.WrittenSpan);
        using var batch = MessageBatch.Rent();
        batch.Add(new MessageProperties { Timestamp = 1 }, default, "v"u8, headers.Headers);
        long allocated = -1;
        batch.ForEach((in Dragoman.Broker.Subscriptions.MessageView message) =>
        {
            for (var i = 0; i < 100; i++) Assert.True(policy.Matches(message));
            var before = GC.GetAllocatedBytesForCurrentThread();
            var all = true;
            for (var i = 0; i < 1000; i++) all &= policy.Matches(message);
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
            Assert.True(all);
        });
        Assert.Equal(0, allocated);
    }

    /// <summary>A policy of plain values, with choices, against a check that takes the policy's words as they are.</summary>
    [Fact]
    public void Policies_mean_what_they_say()
    {
        var keys = Gen.Int[0, 2].Select(static i => $"{"abc"[i]}");
        var value = Gen.Int[0, 3];
        var leaf = Gen.Dictionary(keys, value.List[1, 2])[1, 2];
        var policies = Gen.Select(leaf, Gen.Select(leaf, leaf), Gen.Bool);
        var bodies = Gen.Dictionary(keys, value)[0, 3];
        Gen.Select(policies, bodies).Sample((policy, body) =>
        {
            var (all, (left, right), hasChoice) = policy;
            var json = new Dictionary<string, object>();
            foreach (var (key, values) in all) json[key] = values;
            if (hasChoice) json["$or"] = new object[] { left, right };
            var expected = Holds(all) && (!hasChoice || Holds(left) || Holds(right));
            var text = JsonSerializer.Serialize(json);
            var attributes = body.Select(static b => (b.Key, "Number", $"{b.Value}")).ToArray();
            return MatchesBody(text, JsonSerializer.Serialize(body)) == expected && Matches(FilterPolicy.Parse(text, FilterScope.Attributes), "", attributes) == expected;

            bool Holds(Dictionary<string, List<int>> conditions) => conditions.All(c => body.TryGetValue(c.Key, out var found) && c.Value.Contains(found));
        }, iter: 2000);
    }

    [Fact]
    public void Choices_have_no_more_fields_than_combinations()
    {
        var many = string.Join(',', Enumerable.Range(0, 200).Select(static i => $"\"k{i}\":[1]"));
        Assert.Equal("Filter policy is too complex", Assert.Throws<FilterPolicyException>(() => FilterPolicy.Parse($$"""{"$or":[{{{many}}},{"a":[1]}]}""", FilterScope.Attributes)).Message);
    }

    [Fact]
    public void Nothing_that_is_no_policy_does_more_than_be_refused()
    {
        string[] words = ["{", "}", "[", "]", ":", ",", "\"a\"", "\"$or\"", "\"numeric\"", "\"cidr\"", "\"anything-but\"", "\"exists\"", "\"wildcard\"", "\">\"", "1", "1e999", "null", "true", "\"*\"", "\"\\ud800\"", "x", "\n"];
        Gen.Select(Gen.Int[0, words.Length - 1].Select(i => words[i]).List[0, 20], Gen.Bool).Sample((list, body) =>
        {
            try
            {
                var policy = FilterPolicy.Parse(string.Concat(list), body ? FilterScope.Body : FilterScope.Attributes);
                Matches(policy, string.Concat(list), ("a", "String.Array", string.Concat(list)));
            }
            catch (FilterPolicyException)
            {
                // That is what is said of most of them.
            }
        }, iter: 3000);
    }
}
