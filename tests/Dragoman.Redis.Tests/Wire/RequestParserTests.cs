using System.Text;
using CsCheck;
using Dragoman.Redis.Wire;

namespace Dragoman.Redis.Tests.Wire;

/// <summary>Requests, however they are cut into pieces.</summary>
public sealed class RequestParserTests
{
    private static readonly Gen<byte[][]> Requests = Gen.Byte.Array[0, 40].Array[1, 6];

    [Fact]
    [Trait("Row", "D15")]
    public void Requests_are_the_same_in_whatever_pieces_they_come() =>
        Gen.Select(Requests.List[1, 8], Gen.Int[1, 50].List[1, 20]).Sample((requests, cuts) =>
        {
            var bytes = requests.SelectMany(Encode).ToArray();
            using var parser = new RequestParser { IsTrusted = true };
            var read = new List<byte[][]>();
            var cut = 0;
            for (var at = 0; at < bytes.Length;)
            {
                var size = Math.Min(cuts[cut++ % cuts.Count], bytes.Length - at);
                ReadOnlyMemory<byte> piece = bytes.AsMemory(at, size);
                at += size;
                while (parser.TryRead(ref piece))
                {
                    read.Add([.. Enumerable.Range(0, parser.Request.Count).Select(i => parser.Request[i].ToArray())]);
                    parser.Release();
                }
                Assert.True(piece.IsEmpty);
            }
            Assert.Equal(requests.Count, read.Count);
            for (var i = 0; i < read.Count; i++) Assert.Equal(requests[i], read[i]);
        });

    [Theory]
    [InlineData("a b  c", "a|b|c")]
    [InlineData("\"a b\" 'c d'", "a b|c d")]
    [InlineData("\"\" x", "|x")]
    [InlineData("\"\\x00\\t\\\"\"", "\0\t\"")]
    [InlineData("'\\''", "'")]
    public void Lines_are_split_as_Redis_does(string line, string arguments)
    {
        using var parser = new RequestParser { IsTrusted = true };
        ReadOnlyMemory<byte> bytes = Encoding.Latin1.GetBytes(line + "\r\n");
        Assert.True(parser.TryRead(ref bytes));
        Assert.Equal(arguments, string.Join('|', Enumerable.Range(0, parser.Request.Count).Select(i => Encoding.Latin1.GetString(parser.Request[i]))));
    }

    [Fact]
    public void Before_a_log_in_requests_are_small()
    {
        using var parser = new RequestParser();
        Assert.Equal("unauthenticated multibulk length", Refused(parser, "*11\r\n"));
        using var other = new RequestParser();
        Assert.Equal("unauthenticated bulk length", Refused(other, "*2\r\n$20000\r\n"));
    }

    [Fact]
    public void Lines_end_somewhere()
    {
        using var parser = new RequestParser { IsTrusted = true };
        Assert.Equal("too big inline request", Refused(parser, new string('x', RequestParser.MaxLine)));
    }

    private static string Refused(RequestParser parser, string text)
    {
        ReadOnlyMemory<byte> bytes = Encoding.Latin1.GetBytes(text);
        return Assert.Throws<RedisProtocolException>(() => parser.TryRead(ref bytes)).Message;
    }

    private static byte[] Encode(byte[][] request)
    {
        var bytes = new List<byte>(Encoding.ASCII.GetBytes($"*{request.Length}\r\n"));
        foreach (var argument in request) bytes.AddRange([.. Encoding.ASCII.GetBytes($"${argument.Length}\r\n"), .. argument, .. "\r\n"u8]);
        return [.. bytes];
    }
}
