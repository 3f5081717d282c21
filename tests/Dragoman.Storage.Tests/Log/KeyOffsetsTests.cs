using System.Text;
using Dragoman.Storage.Log.Compaction;

namespace Dragoman.Storage.Tests.Log;

public sealed class KeyOffsetsTests
{
    [Fact]
    public void The_newest_offset_of_each_key_is_known_and_of_others_none()
    {
        var keys = new KeyOffsets(64 << 20, seed: 7);
        for (var offset = 0; offset < 100_000; offset++) Assert.True(keys.TryPut(Key(offset % 30_000), offset));
        Assert.Equal(30_000, keys.Count);
        for (var key = 0; key < 30_000; key++) Assert.Equal(key + (key < 10_000 ? 90_000 : 60_000), keys.Get(Key(key)));
        Assert.Equal(-1, keys.Get("never"u8));
    }

    [Fact]
    public void Memory_is_bounded_and_known_keys_still_fit_when_it_is_full()
    {
        var keys = new KeyOffsets(36 * 1024, seed: 7);
        var count = 0;
        while (keys.TryPut(Key(count), count)) count++;
        Assert.InRange(count, 700, 1024);
        Assert.True(keys.TryPut(Key(0), count));
        Assert.Equal(count, keys.Get(Key(0)));
    }

    private static byte[] Key(int number) => Encoding.ASCII.GetBytes($"key-{number}");
}
