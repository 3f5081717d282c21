using CsCheck;
using Dragoman.Storage.Log;
using Dragoman.Storage.Records;

namespace Dragoman.Storage.Tests.Log;

public sealed class CompactionTests
{
    [Fact]
    public async Task The_newest_record_of_each_key_stays_and_offsets_stay_as_they_are()
    {
        await using var story = await CompactionStory.BeginAsync();
        for (var i = 0; i < 100; i++) await story.AppendAsync([($"k{i % 7}", $"v{i}"), ($"k{i % 3}", $"w{i}")]);
        await story.CompactAsync();
        var kept = story.Read().SelectMany(b => b.Records).ToList();
        Assert.Equal(199, kept[^1].Offset);
        Assert.InRange(kept.Count, 7, 9);
        Assert.Equal(200, story.Log.HighWatermark);
    }

    [Fact]
    public async Task Nothing_dirty_means_nothing_to_do()
    {
        await using var story = await CompactionStory.BeginAsync();
        for (var i = 0; i < 20; i++) await story.AppendAsync([("k", $"v{i}")]);
        await story.CompactAsync();
        var files = story.Store.Numbers.Next();
        await story.CompactAsync();
        Assert.Equal(files + 1, story.Store.Numbers.Next());
    }

    [Fact]
    public async Task A_tombstone_stays_for_its_time_and_goes_with_the_next_pass_after_that()
    {
        await using var story = await CompactionStory.BeginAsync();
        await story.AppendAsync([("gone", "value")]);
        await story.AppendAsync([("gone", null), ("stays", "1")]);
        await story.AppendAsync([("last", "1")]);
        await story.CompactAsync();
        Assert.Contains(story.Read().SelectMany(b => b.Records), r => r is { Key: "gone", Value: null });
        await story.AppendAsync([("last", "2")]);
        await story.AppendAsync([("last", "3")]);
        story.Time.Advance(TimeSpan.FromMilliseconds(999));
        await story.CompactAsync();
        Assert.Contains(story.Read().SelectMany(b => b.Records), r => r is { Key: "gone", Value: null });
        await story.AppendAsync([("last", "4")]);
        await story.AppendAsync([("last", "5")]);
        story.Time.Advance(TimeSpan.FromMilliseconds(2));
        await story.CompactAsync();
        Assert.DoesNotContain(story.Read().SelectMany(b => b.Records), r => r.Key == "gone");
    }

    [Fact]
    public async Task Young_records_are_left_alone()
    {
        await using var story = await CompactionStory.BeginAsync(s => s.Settings = s.Settings with { MinLagMs = 60_000 });
        for (var i = 0; i < 10; i++) await story.AppendAsync([("k", $"old{i}")]);
        story.Time.Advance(TimeSpan.FromSeconds(61));
        for (var i = 0; i < 10; i++) await story.AppendAsync([("k", $"young{i}")]);
        await story.CompactAsync();
        Assert.Equal(10, story.Log.CleanUpTo);
        Assert.Equal(11, story.Read().Sum(b => b.Records.Count));
    }

    [Fact]
    public async Task An_open_transaction_bounds_what_is_compacted()
    {
        await using var story = await CompactionStory.BeginAsync();
        await story.AppendAsync([("k", "1")]);
        await story.AppendAsync([("k", "2")]);
        await story.AppendAsync([("k", "3")], producer: 5, transactional: true);
        await story.AppendAsync([("k", "4")]);
        await story.AppendAsync([("k", "5")]);
        await story.CompactAsync();
        Assert.Equal(2, story.Log.CleanUpTo);
        await story.EndTransactionAsync(5, abort: true);
        await story.AppendAsync([("k", "6")]);
        await story.CompactAsync();
        Assert.Equal(6, story.Log.CleanUpTo);
    }

    [Fact]
    public async Task Of_an_aborted_transaction_the_marker_goes_last_and_the_memory_of_it_too()
    {
        await using var story = await CompactionStory.BeginAsync();
        await story.AppendAsync([("k", "taken back")], producer: 5, transactional: true);
        await story.EndTransactionAsync(5, abort: true);
        await story.AppendAsync([("other", "1")], producer: 5, transactional: true);
        await story.EndTransactionAsync(5, abort: false);
        await story.AppendAsync([("other", "2")]);
        for (var pass = 0; pass < 4; pass++)
        {
            await story.CompactAsync();
            await story.ReopenAsync();
            story.Verify();
            story.Time.Advance(TimeSpan.FromSeconds(2));
            await story.AppendAsync([("other", $"again {pass}")]);
        }
        Assert.DoesNotContain(story.Read(), b => b.Base == 1);
        lock (story.Log.Lock) Assert.Empty(story.Log.Producers.Aborted);
    }

    [Fact]
    public async Task More_keys_than_memory_has_room_for_take_several_passes()
    {
        await using var story = await CompactionStory.BeginAsync(s => s.KeyBytes = 0);
        for (var i = 0; i < 60; i++) await story.AppendAsync([.. Enumerable.Range(0, 10).Select(k => ((string?)$"k{k * 3}-{i % 2}", (string?)$"v{i}"))]);
        await story.CompactAsync();
        Assert.Equal(590, story.Log.CleanUpTo);
        Assert.Equal(20 + 10, story.Read().Sum(b => b.Records.Count));
    }

    [Theory]
    [InlineData(CompressionCodec.None, false)]
    [InlineData(CompressionCodec.Gzip, false)]
    [InlineData(CompressionCodec.Snappy, true)]
    [InlineData(CompressionCodec.Lz4, false)]
    [InlineData(CompressionCodec.Zstd, true)]
    public async Task Batches_keep_their_codec_and_kind_of_timestamp(CompressionCodec codec, bool appendTime)
    {
        await using var story = await CompactionStory.BeginAsync();
        for (var i = 0; i < 20; i++)
        {
            await story.AppendAsync([("a", $"value value value {i}"), ($"b{i}", "kept kept kept kept"), ("c", null)], codec: codec, appendTime: appendTime);
            story.Time.Advance(TimeSpan.FromMilliseconds(10));
        }
        await story.CompactAsync();
        Assert.Equal(22, story.Read().Sum(b => b.Records.Count) - 2);
    }

    [Fact]
    public async Task Retention_and_compaction_go_together()
    {
        await using var story = await CompactionStory.BeginAsync();
        for (var i = 0; i < 50; i++) await story.AppendAsync([($"k{i}", "v")]);
        await story.CompactAsync();
        await story.Store.TruncateAsync(story.Log, 20);
        for (var i = 0; i < 10; i++) await story.AppendAsync([($"k{i}", "w")]);
        await story.Store.CompactAsync();
        Assert.Equal(20, story.Log.StartOffset);
        Assert.Equal(40, story.Read().Sum(b => b.Records.Count));
    }

    [Fact]
    public async Task A_read_that_is_under_way_finishes_on_what_it_found()
    {
        await using var story = await CompactionStory.BeginAsync();
        for (var i = 0; i < 50; i++) await story.AppendAsync([("k", $"v{i}")]);
        await story.Store.SealJournalAsync(wait: true);
        await story.Store.CheckpointAsync();
        using var read = new LogRead();
        story.Log.Read(0, 50, 1 << 20, read);
        var before = new byte[read.TotalBytes];
        read.CopyTo(before);
        await story.CompactAsync();
        var after = new byte[read.TotalBytes];
        read.CopyTo(after);
        Assert.Equal(before, after);
    }

    [Fact]
    public async Task How_far_a_log_is_compacted_survives_a_restart()
    {
        await using var story = await CompactionStory.BeginAsync();
        for (var i = 0; i < 50; i++) await story.AppendAsync([($"k{i % 5}", $"v{i}")]);
        await story.CompactAsync();
        await story.ReopenAsync();
        Assert.Equal(49, story.Log.CleanUpTo);
        story.Verify();
    }

    [Fact]
    public async Task The_newest_time_is_found_where_its_record_is_gone()
    {
        await using var story = await CompactionStory.BeginAsync();
        await story.AppendAsync([("a", "1")], producer: 1, timestamp: 1000);
        await story.AppendAsync([("b", "1")], producer: 2, timestamp: 9000);
        await story.AppendAsync([("b", "2")], producer: 3, timestamp: 5000);
        await story.AppendAsync([("c", "1")], producer: 3, timestamp: 4000);
        await story.CompactAsync();
        Assert.Contains(story.Read(), b => b.Base == 1 && b.Records.Count == 0);
        Assert.Equal(2, TimeLookup.Latest(story.Log, 4)!.Value.Offset);
    }

    [Fact]
    public void Any_story_keeps_what_a_compacted_topic_promises() =>
        Gen.Int.Sample(seed => TellAsync(seed).GetAwaiter().GetResult(), iter: 60, threads: 1);

    private static async Task TellAsync(int seed)
    {
        var random = new Random(seed);
        await using var story = await CompactionStory.BeginAsync(s =>
        {
            s.KeyBytes = random.Next(3) == 0 ? 0 : 1 << 20;
            s.Settings = s.Settings with { MinLagMs = random.Next(3) == 0 ? 500 : 0 };
        });
        for (var step = 0; step < 150; step++)
        {
            switch (random.Next(20))
            {
                case 0:
                    await story.CompactAsync();
                    break;
                case 1:
                    await story.Store.SealJournalAsync(wait: true);
                    await story.Store.CheckpointAsync();
                    break;
                case 2 when random.Next(4) == 0:
                    await story.ReopenAsync();
                    story.Verify();
                    break;
                case 3 or 4:
                    story.Time.Advance(TimeSpan.FromMilliseconds(random.Next(800)));
                    break;
                case 5 or 6 or 7 when Enumerable.Range(10, 3).Where(p => story.HasOpenTransaction(p)).ToArray() is { Length: > 0 } open:
                    await story.EndTransactionAsync(open[random.Next(open.Length)], abort: random.Next(2) == 0);
                    break;
                case 8 or 9 or 10:
                    await story.AppendAsync(Records(random), producer: random.Next(10, 13), transactional: true, codec: Codec(random));
                    break;
                case 11 or 12 or 13:
                    await story.AppendAsync(Records(random), producer: random.Next(20, 23), codec: Codec(random));
                    break;
                default:
                    await story.AppendAsync(Records(random), codec: Codec(random), appendTime: random.Next(5) == 0);
                    break;
            }
        }
        story.Verify();
        await story.CompactAsync();
    }

    private static List<(string?, string?)> Records(Random random)
    {
        var records = new List<(string?, string?)>();
        for (var n = random.Next(1, 5); n > 0; n--)
            records.Add((random.Next(40) == 0 ? null : $"k{random.Next(8)}", random.Next(4) == 0 ? null : new string('v', random.Next(1, 60))));
        return records;
    }

    private static CompressionCodec Codec(Random random) => random.Next(3) == 0 ? (CompressionCodec)random.Next(5) : CompressionCodec.None;
}
