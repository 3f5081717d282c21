using Dragoman.Storage.Platform;

namespace Dragoman.Simulation.Tests;

/// <summary>What each kind of crash may take, and that over the seeds it does.</summary>
public sealed class CrashTests
{
    private const int Sector = 512;

    [Fact]
    public void A_process_kill_takes_nothing_that_was_handed_over()
    {
        foreach (ulong seed in Seeds.Fixed(100))
        {
            var (scheduler, disk) = DiskTests.Make(seed);
            scheduler.Execute(async () =>
            {
                var file = disk.Open("/d/a", FileOpenMode.CreateNew);
                await file.WriteAsync(0, Filled(5000, 1));
                disk.Rename("/d/a", "/d/b");
            });
            disk.Crash(CrashKind.ProcessKill);
            Assert.Equal(["/d/b"], disk.AllFiles);
            Assert.Equal(Filled(5000, 1), disk.Peek("/d/b"));
        }
    }

    [Fact]
    public void A_write_in_progress_is_there_in_part_after_a_process_kill()
    {
        var lengths = new HashSet<int>();
        foreach (ulong seed in Seeds.Fixed(200))
        {
            var (scheduler, disk) = DiskTests.Make(seed);
            var process = scheduler.StartProcess("broker");
            disk.CrashAt(2, CrashKind.ProcessKill);
            var task = process.Run("write", async () =>
            {
                var file = disk.Open("/d/a", FileOpenMode.CreateNew);
                await file.WriteAsync(0, Filled(5000, 1));
                Assert.Fail("The write crashed.");
            });
            Assert.False(scheduler.RunUntilDoneOrDead(task, process));
            byte[] left = disk.Peek("/d/a");
            Assert.Equal(Filled(left.Length, 1), left);
            lengths.Add(left.Length);
        }

        Assert.Contains(0, lengths);
        Assert.Contains(5000, lengths);
        Assert.True(lengths.Count > 20);
        Assert.Contains(lengths, length => length % Sector != 0 && length != 5000);
    }

    [Fact]
    public void What_was_synced_survives_power_loss_and_what_was_not_may_go_in_any_order()
    {
        bool survived = false, lost = false, torn = false, laterWithoutEarlier = false;
        foreach (ulong seed in Seeds.Fixed(300))
        {
            var (scheduler, disk) = DiskTests.Make(seed);
            scheduler.Execute(async () =>
            {
                var file = disk.Open("/d/a", FileOpenMode.CreateNew);
                await file.WriteAsync(0, Filled(8 * Sector, 1));
                await file.SyncAsync();
                disk.SyncDirectory("/d");
                for (int sector = 4; sector < 8; sector++)
                {
                    await file.WriteAsync(sector * Sector, Filled(Sector, 2));
                }
            });
            disk.Crash(CrashKind.PowerLoss);

            byte[] bytes = disk.Peek("/d/a");
            Assert.Equal(8 * Sector, bytes.Length);
            Assert.False(bytes.AsSpan(0, 4 * Sector).ContainsAnyExcept((byte)1));
            Assert.False(bytes.AsSpan().ContainsAnyExcept((byte)1, (byte)2));
            var states = bytes.Chunk(Sector).Skip(4).Select(s => s.All(b => b == 2) ? '2' : s.All(b => b == 1) ? '1' : 'T').ToList();
            survived |= states.TrueForAll(s => s == '2');
            lost |= states.TrueForAll(s => s == '1');
            torn |= states.Contains('T');
            laterWithoutEarlier |= string.Concat(states).Contains("12", StringComparison.Ordinal);
            Assert.True(states.Count(s => s == 'T') <= 1);
        }

        Assert.True(survived && lost && torn && laterWithoutEarlier);
    }

    [Fact]
    public void A_sync_covers_what_was_written_before_it_was_called_and_not_what_came_during_it()
    {
        int during = 0;
        foreach (ulong seed in Seeds.Fixed(200))
        {
            var (scheduler, disk) = DiskTests.Make(seed);
            scheduler.Execute(async () =>
            {
                var file = disk.Open("/d/a", FileOpenMode.CreateNew);
                file.Preallocate(2 * Sector);
                disk.SyncDirectory("/d");
                await file.WriteAsync(0, Filled(Sector, 1));
                disk.Slowness = 1000;
                var sync = file.SyncAsync().AsTask();
                disk.Slowness = 0;
                await file.WriteAsync(Sector, Filled(Sector, 2));
                await sync;
            });
            disk.Crash(CrashKind.PowerLoss);
            byte[] bytes = disk.Peek("/d/a");
            Assert.Equal(Filled(Sector, 1), bytes[..Sector]);
            during += bytes[Sector..].All(b => b == 2) ? 0 : 1;
        }

        Assert.InRange(during, 40, 160);
    }

    [Fact]
    public void Within_a_sector_no_later_write_survives_without_the_earlier()
    {
        var seen = new HashSet<int>();
        foreach (ulong seed in Seeds.Fixed(300))
        {
            var (scheduler, disk) = DiskTests.Make(seed);
            scheduler.Execute(async () =>
            {
                var file = disk.Open("/d/a", FileOpenMode.CreateNew);
                file.Preallocate(Sector);
                await file.SyncAsync();
                disk.SyncDirectory("/d");
                for (int i = 0; i < 4; i++)
                {
                    await file.WriteAsync(i * 100, Filled(100, 1));
                }
            });
            disk.Crash(CrashKind.PowerLoss);

            var hundreds = disk.Peek("/d/a")[..400].Chunk(100).ToList();
            int whole = hundreds.TakeWhile(h => h.All(b => b == 1)).Count();
            Assert.All(hundreds.Skip(whole + 1), h => Assert.All(h, b => Assert.Equal(0, b)));
            seen.Add(whole);
        }

        Assert.Equal([0, 1, 2, 3, 4], seen.Order());
    }

    [Fact]
    public void A_length_that_was_not_synced_may_be_lost_alone_and_its_bytes_too()
    {
        bool shorter = false, zeros = false, whole = false;
        foreach (ulong seed in Seeds.Fixed(300))
        {
            var (scheduler, disk) = DiskTests.Make(seed);
            scheduler.Execute(async () =>
            {
                var file = disk.Open("/d/a", FileOpenMode.CreateNew);
                disk.SyncDirectory("/d");
                await file.WriteAsync(0, Filled(Sector, 1));
            });
            disk.Crash(CrashKind.PowerLoss);
            byte[] bytes = disk.Peek("/d/a");
            Assert.InRange(bytes.Length, 0, Sector);
            shorter |= bytes.Length == 0;
            zeros |= bytes.Length == Sector && bytes.All(b => b == 0);
            whole |= bytes.Length == Sector && bytes.All(b => b == 1);
        }

        Assert.True(shorter && zeros && whole);
    }

    [Fact]
    public void What_a_truncation_cut_is_zero_when_the_file_grows_again()
    {
        foreach (ulong seed in Seeds.Fixed(100))
        {
            var (scheduler, disk) = DiskTests.Make(seed);
            scheduler.Execute(async () =>
            {
                var file = disk.Open("/d/a", FileOpenMode.CreateNew);
                await file.WriteAsync(0, Filled(10_000, 1));
                file.Truncate(700);
                file.Preallocate(10_000);
                await file.SyncAsync();
                disk.SyncDirectory("/d");
            });
            byte[] expected = [.. Filled(700, 1), .. new byte[9_300]];
            Assert.Equal(expected, disk.Peek("/d/a"));
            disk.Crash(CrashKind.PowerLoss);
            Assert.Equal(expected, disk.Peek("/d/a"));
        }
    }

    [Fact]
    public void Names_that_were_not_synced_come_and_go_each_on_its_own()
    {
        var seen = new HashSet<string>();
        foreach (ulong seed in Seeds.Fixed(300))
        {
            var (scheduler, disk) = DiskTests.Make(seed);
            disk.Open("/d/old", FileOpenMode.CreateNew);
            disk.SyncDirectory("/d");
            disk.Open("/d/new", FileOpenMode.CreateNew);
            disk.Delete("/d/old");
            disk.Crash(CrashKind.PowerLoss);
            seen.Add(string.Join(',', disk.ListFiles("/d")));
            Assert.NotNull(scheduler);
        }

        Assert.Equal(["", "new", "new,old", "old"], seen.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_rename_that_was_not_synced_happened_or_did_not()
    {
        var seen = new HashSet<string>();
        foreach (ulong seed in Seeds.Fixed(300))
        {
            var (scheduler, disk) = DiskTests.Make(seed);
            scheduler.Execute(async () =>
            {
                foreach (var (name, value) in new[] { ("m", 1), ("tmp", 2) })
                {
                    using var file = disk.Open($"/d/{name}", FileOpenMode.CreateNew);
                    await file.WriteAsync(0, Filled(10, (byte)value));
                    await file.SyncAsync();
                    if (name == "m")
                    {
                        disk.SyncDirectory("/d");
                    }
                }

                disk.Rename("/d/tmp", "/d/m");
            });
            disk.Crash(CrashKind.PowerLoss);
            seen.Add(string.Join(',', disk.AllFiles.Select(path => $"{path}={disk.Peek(path)[0]}")));
        }

        Assert.Equal(["/d/m=1", "/d/m=1,/d/tmp=2", "/d/m=2"], seen.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_rename_between_directories_is_durable_when_both_are_synced()
    {
        var afterOne = new HashSet<string>();
        foreach (ulong seed in Seeds.Fixed(200))
        {
            foreach (bool both in new[] { false, true })
            {
                var (_, disk) = DiskTests.Make(seed);
                disk.CreateDirectory("/e");
                disk.Open("/d/a", FileOpenMode.CreateNew);
                disk.SyncDirectory("/d");
                disk.Rename("/d/a", "/e/a");
                disk.SyncDirectory("/e");
                if (both)
                {
                    disk.SyncDirectory("/d");
                }

                disk.Crash(CrashKind.PowerLoss);
                string name = Assert.Single(disk.AllFiles);
                if (both)
                {
                    Assert.Equal("/e/a", name);
                }

                afterOne.Add(name);
            }
        }

        Assert.Equal(["/d/a", "/e/a"], afterOne.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_disk_that_ignores_syncs_loses_what_it_said_was_durable(bool ignore)
    {
        int lost = 0;
        foreach (ulong seed in Seeds.Fixed(100))
        {
            var (scheduler, disk) = DiskTests.Make(seed);
            disk.IgnoreSyncs = ignore;
            scheduler.Execute(async () =>
            {
                var file = disk.Open("/d/a", FileOpenMode.CreateNew);
                disk.SyncDirectory("/d");
                await file.WriteAsync(0, Filled(2000, 1));
                await file.SyncAsync();
            });
            disk.Crash(CrashKind.PowerLoss);
            lost += disk.Peek("/d/a").AsSpan().SequenceEqual(Filled(2000, 1)) ? 0 : 1;
        }

        Assert.True(ignore ? lost > 20 : lost == 0);
    }

    [Fact]
    public void After_a_failed_sync_a_second_one_succeeds_and_saves_nothing()
    {
        int lost = 0;
        foreach (ulong seed in Seeds.Fixed(100))
        {
            var (scheduler, disk) = DiskTests.Make(seed);
            scheduler.Execute(async () =>
            {
                var file = disk.Open("/d/a", FileOpenMode.CreateNew);
                disk.SyncDirectory("/d");
                await file.WriteAsync(0, Filled(2000, 1));
                disk.FailSync();
                await Assert.ThrowsAsync<IOException>(async () => await file.SyncAsync());
                await file.SyncAsync();
            });
            Assert.Equal(Filled(2000, 1), disk.Peek("/d/a"));
            disk.Crash(CrashKind.PowerLoss);
            lost += disk.Peek("/d/a").AsSpan().SequenceEqual(Filled(2000, 1)) ? 0 : 1;
        }

        Assert.InRange(lost, 20, 99);
    }

    [Fact]
    public void A_crash_at_each_operation_kills_the_process_there_and_its_handles_and_locks()
    {
        foreach (ulong seed in Seeds.Fixed(10))
        {
            int nth = 1;
            for (bool crashed = true; crashed; nth++)
            {
                var (scheduler, disk) = DiskTests.Make(seed);
                var process = scheduler.StartProcess("broker");
                disk.CrashAt(nth, nth % 2 == 0 ? CrashKind.PowerLoss : CrashKind.ProcessKill);
                IStorageFile? file = null;
                var task = process.Run("work", async () =>
                {
                    disk.LockDirectory("/d");
                    file = disk.Open("/d/a", FileOpenMode.CreateNew);
                    file.Preallocate(4096);
                    await file.WriteAsync(0, Filled(1000, 1));
                    await file.SyncAsync();
                    file.Truncate(2000);
                    disk.SyncDirectory("/d");
                    disk.Rename("/d/a", "/d/b");
                    disk.Delete("/d/b");
                });
                crashed = !scheduler.RunUntilDoneOrDead(task, process);
                Assert.Equal(crashed ? nth : 8, disk.Counters.Operations);
                Assert.Equal(crashed ? 1 : 0, disk.Epoch);
                if (crashed && file is not null)
                {
                    Assert.Throws<SimulatedCrashException>(() => file.Length);
                    Assert.Throws<SimulatedCrashException>(() => file.Read(0, new byte[1]));
                    Assert.Throws<SimulatedCrashException>(() => file.Truncate(0));
                    file.Dispose();
                }

                if (crashed)
                {
                    disk.LockDirectory("/d");
                }
            }

            Assert.Equal(8 + 2, nth);
        }
    }

    [Fact]
    public void The_code_of_a_dead_process_cannot_touch_the_disk_in_its_last_step()
    {
        var (scheduler, disk) = DiskTests.Make(1);
        var process = scheduler.StartProcess("broker");
        int refused = 0;
        var task = process.Run("work", () =>
        {
            var file = disk.Open("/d/a", FileOpenMode.CreateNew);
            process.Kill();
            foreach (Action use in new Action[]
            {
                () => disk.Delete("/d/a"), () => disk.SyncDirectory("/d"), () => file.Preallocate(1), () => disk.ListFiles("/d"),
            })
            {
                Assert.Throws<SimulatedCrashException>(use);
                refused++;
            }

            return Task.CompletedTask;
        });
        scheduler.RunUntilDoneOrDead(task, process);
        Assert.Equal(4, refused);
        Assert.Equal(["/d/a"], disk.AllFiles);
    }

    private static byte[] Filled(int length, byte value)
    {
        byte[] bytes = new byte[length];
        Array.Fill(bytes, value);
        return bytes;
    }
}
