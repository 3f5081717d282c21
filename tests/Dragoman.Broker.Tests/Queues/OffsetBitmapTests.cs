using CsCheck;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Broker.Tests.Queues;

public sealed class OffsetBitmapTests
{
    private const int Limit = 20_000;

    [Fact]
    public void It_holds_what_a_sorted_set_does() =>
        Gen.Select(Gen.Int[0, 2], Gen.Int[0, Limit], Gen.Frequency((3, Gen.Int[1, 4]), (1, Gen.Int[1, 9000]))).Array[1, 60].Sample(changes =>
        {
            var bitmap = new OffsetBitmap();
            var model = new SortedSet<long>();
            foreach (var (kind, start, count) in changes)
            {
                if (kind == 0)
                {
                    bitmap.Remove(start, start + count);
                    for (long i = start; i < start + count; i++) model.Remove(i);
                }
                else
                {
                    bitmap.Add(start, start + count);
                    for (long i = start; i < start + count; i++) model.Add(i);
                }
                Assert.Equal(model.Count, bitmap.Count);
                Assert.Equal(model.Count == 0 ? long.MaxValue : model.Min, bitmap.First);
                Assert.Equal(model.Contains(start), bitmap.Contains(start));
                var inside = model.GetViewBetween(start, long.MaxValue);
                Assert.Equal(inside.Count == 0 ? long.MaxValue : inside.Min, bitmap.NextInside(start));
                var outside = (long)start;
                while (model.Contains(outside)) outside++;
                Assert.Equal(outside, bitmap.NextOutside(start));
            }
            Assert.Equal(model, bitmap.Ranges().SelectMany(r => Enumerable.Range((int)r.Start, (int)r.Count)).Select(i => (long)i));
            var gone = new OffsetSet(100);
            gone.Add(5000, 6000);
            Assert.Equal(model.Count(i => i < 15_000 && !gone.Contains(i)), bitmap.CountBefore(15_000, gone));
        }, iter: Stories.Count);
}
