using System.Text;
using Dragoman.Fuzz.Fuzzing;
using Dragoman.Redis.Wire;

namespace Dragoman.Fuzz.Targets.Redis;

/// <summary>Redis' requests, in whole and in pieces: both ways the same requests come out, or the same refusal.</summary>
internal sealed class RedisRequests : FuzzTarget
{
    public override byte[] Generate(Random random) => RedisClient.Requests(random, random.Next(1, 6));

    public override bool Decode(byte[] input, Random random)
    {
        var whole = Read(input, input.Length + 1);
        var pieces = Read(input, random.Next(1, 20));
        if (!whole.SequenceEqual(pieces)) throw new FuzzFailedException($"In pieces it was read as {string.Join(' ', pieces)}, as a whole as {string.Join(' ', whole)}");
        return whole.Count > 0 && !whole[^1].StartsWith('!');
    }

    public override bool IsRefusal(Exception error) => false;

    // Three passes over the input, and the texts that are compared.
    public override long MostAllocated(byte[] input) => (256 << 10) + input.Length * 400L;

    private static List<string> Read(byte[] input, int piece)
    {
        using var parser = new RequestParser { IsTrusted = true };
        var read = new List<string>();
        for (var at = 0; at < input.Length;)
        {
            ReadOnlyMemory<byte> bytes = input.AsMemory(at, Math.Min(piece, input.Length - at));
            at += bytes.Length;
            try
            {
                while (parser.TryRead(ref bytes))
                {
                    var text = new StringBuilder();
                    for (var i = 0; i < parser.Request.Count; i++) text.Append(Convert.ToHexString(parser.Request[i])).Append('|');
                    read.Add(text.ToString());
                    parser.Release();
                }
            }
            catch (RedisProtocolException error)
            {
                read.Add($"!{error.Message}");
                return read;
            }
            if (!bytes.IsEmpty) throw new FuzzFailedException($"{bytes.Length} bytes were left although the request is not complete.");
        }
        return read;
    }
}
