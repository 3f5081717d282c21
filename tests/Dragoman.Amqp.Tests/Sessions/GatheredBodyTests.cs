using System.Buffers;
using CsCheck;
using Dragoman.Amqp.Sessions;

namespace Dragoman.Amqp.Tests.Sessions;

public sealed class GatheredBodyTests
{
    [Fact]
    public void A_body_is_what_came_in_its_frames() =>
        Gen.Int[1, 300_000].List[1, 12].Sample(
            lengths =>
            {
                using var body = new GatheredBody();
                // It is used for one message after the other.
                for (var round = 0; round < 2; round++)
                {
                    var whole = new byte[lengths.Sum()];
                    new Random(lengths.Count + round).NextBytes(whole);
                    var at = 0;
                    foreach (var length in lengths)
                    {
                        body.Add(new ReadOnlySequence<byte>(whole.AsMemory(at, length)));
                        at += length;
                        Assert.Equal(at, body.Length);
                    }
                    Assert.True(body.Bytes.ToArray().AsSpan().SequenceEqual(whole));
                    body.Dispose();
                    Assert.Equal(0, body.Length);
                    Assert.True(body.Bytes.IsEmpty);
                }
            },
            iter: 50);
}
