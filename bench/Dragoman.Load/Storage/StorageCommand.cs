using System.CommandLine;
using Dragoman.Load.Reporting;
using Dragoman.Storage;
using Dragoman.Storage.Journal;

namespace Dragoman.Load.Storage;

/// <summary>Measures the storage engine against the disk below it, in one process and one run.</summary>
internal static class StorageCommand
{
    private static readonly Option<string> Data = new("--data") { Description = "An existing directory on the disk to measure. Temporary files are made in it, and removed.", DefaultValueFactory = _ => Path.GetTempPath() };
    private static readonly Option<bool> Quick = new("--quick") { Description = "Small amounts: to see that it works, or for a profile." };
    private static readonly Option<string[]> Only = new("--only") { Description = "What to run: raw, one, many, fsync. All unless given.", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<long?> RawBytes = SizeOption("--raw-bytes", "Bytes of each raw file (4G; quick 512M).");
    private static readonly Option<long?> OneBytes = SizeOption("--one-bytes", "Bytes for the one log (4G; quick 512M).");
    private static readonly Option<long?> ManyBytes = SizeOption("--many-bytes", "Bytes for many logs, at least (16G; quick 2G).");
    private static readonly Option<double?> ManySeconds = new("--many-seconds") { Description = "Time for many logs, at least (20; quick 3)." };
    private static readonly Option<double?> FsyncSeconds = new("--fsync-seconds") { Description = "Time for each part of a comparison in fsync mode (5; quick 2)." };
    private static readonly Option<int> Logs = new("--logs") { Description = "How many logs many are.", DefaultValueFactory = _ => 1000 };
    private static readonly Option<int> Writers = new("--writers") { Description = "Batches under way in written mode.", DefaultValueFactory = _ => 64 };
    private static readonly Option<int> FsyncWriters = new("--fsync-writers") { Description = "Writers in fsync mode.", DefaultValueFactory = _ => 64 };
    private static readonly Option<long> OneBatch = Size("--one-batch", "Bytes of a batch for the one log.", 64 << 10);
    private static readonly Option<long> ManyBatch = Size("--many-batch", "Bytes of a batch for many logs.", 16 << 10);
    private static readonly Option<long> Retention = Size("--retention-bytes", "Bytes that each of many logs keeps.", 2 << 20);
    private static readonly Option<double> Interval = new("--retention-interval") { Description = "Seconds between two looks at retention.", DefaultValueFactory = _ => new StoreOptions { Directory = "" }.MaintenanceInterval.TotalSeconds };
    private static readonly Option<int> Runs = new("--runs") { Description = "How often the raw file, and the one log, are written, in turn; medians count.", DefaultValueFactory = _ => 5 };
    private static readonly Option<string?> Output = new("--output") { Description = "Directory for the JSON file (bench/results)." };

    private static Option<long?> SizeOption(string name, string description) => new(name) { Description = description, CustomParser = argument => Sizes.Parse(argument) };

    private static Option<long> Size(string name, string description, long value) =>
        new(name) { Description = description, CustomParser = Sizes.Parse, DefaultValueFactory = _ => value };

    public static Command Create()
    {
        var command = new Command("storage", "Measures the storage engine against the raw disk.")
        {
            Data, Quick, Only, RawBytes, OneBytes, ManyBytes, ManySeconds, FsyncSeconds, Logs, Writers, FsyncWriters, OneBatch, ManyBatch, Retention, Interval, Runs, Output,
        };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult parsed, CancellationToken cancellation)
    {
        var quick = parsed.GetValue(Quick);
        var only = parsed.GetValue(Only) is { Length: > 0 } chosen ? chosen.ToHashSet() : ["raw", "one", "many", "fsync"];
        var directory = Path.Join(Path.GetFullPath(parsed.GetValue(Data)!), $"dragoman-load-{Guid.NewGuid():N}");
        var plan = new Plan(
            directory,
            parsed.GetValue(RawBytes) ?? (quick ? 512L << 20 : 4L << 30),
            parsed.GetValue(OneBytes) ?? (quick ? 512L << 20 : 4L << 30),
            parsed.GetValue(ManyBytes) ?? (quick ? 2L << 30 : 16L << 30),
            TimeSpan.FromSeconds(parsed.GetValue(ManySeconds) ?? (quick ? 3 : 20)),
            TimeSpan.FromSeconds(parsed.GetValue(FsyncSeconds) ?? (quick ? 2 : 5)),
            parsed.GetValue(Logs),
            parsed.GetValue(Writers),
            parsed.GetValue(FsyncWriters),
            (int)parsed.GetValue(OneBatch),
            (int)parsed.GetValue(ManyBatch),
            parsed.GetValue(Retention),
            TimeSpan.FromSeconds(parsed.GetValue(Interval)),
            parsed.GetValue(Runs));
        Directory.CreateDirectory(directory);
        try
        {
            var results = await MeasureAsync(plan, only, cancellation);
            Print(plan, results);
            var path = await ResultFile.WriteAsync(parsed.GetValue(Output), "storage", plan with { Directory = "" }, results);
            Terminal.Note($"Results are in {path}");
            return 0;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private sealed record Plan(
        string Directory, long RawBytes, long OneBytes, long ManyBytes, TimeSpan ManyTime, TimeSpan FsyncTime, int Logs, int Writers, int FsyncWriters,
        int OneBatch, int ManyBatch, long RetentionBytes, TimeSpan RetentionInterval, int Runs);

    private sealed record FsyncResult(double OneFsyncPerBatch, StoreLoadResult Store)
    {
        public double Ratio => Store.BatchesPerSecond / OneFsyncPerBatch;
    }

    private sealed record Results
    {
        public List<double> RawRates { get; } = [];

        public double? RawMedian => RawRates.Count == 0 ? null : Sizes.Median(RawRates);

        public List<StoreLoadResult> OneLogRuns { get; } = [];

        /// <summary>The median of the runs.</summary>
        public StoreLoadResult? OneLog => OneLogRuns.OrderBy(r => r.BytesPerSecond).ElementAtOrDefault(OneLogRuns.Count / 2);

        public double? OneLogRatio => OneLog?.BytesPerSecond / RawMedian;

        /// <summary>Of the bytes for many logs, with as many kept as their retention keeps: what the disk gives at best.</summary>
        public double? RollingRate { get; set; }

        public StoreLoadResult? ManyLogs { get; set; }

        public double? ManyLogsRatio => ManyLogs?.BytesPerSecond / RawMedian;

        public List<FsyncResult>? Fsync { get; set; }

        public double? FsyncRatio => Fsync is null ? null : Sizes.Median(Fsync.Select(static f => f.Ratio));
    }

    private static async Task<Results> MeasureAsync(Plan plan, HashSet<string> only, CancellationToken cancellation)
    {
        var results = new Results();
        // In turn, as what else goes on in the machine changes from one minute to the next.
        for (var run = 0; run < plan.Runs; run++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (only.Contains("raw"))
                results.RawRates.Add(await Terminal.RunAsync($"Raw disk, 64 KiB page-cache writes, {run + 1} of {plan.Runs}", _ => RawDisk.PageCacheWritesAsync(plan.Directory, plan.RawBytes)));
            if (!only.Contains("one")) continue;
            results.OneLogRuns.Add(await StoreAsync($"written, 1 log, {run + 1} of {plan.Runs}", new StoreLoadOptions
            {
                Directory = Path.Join(plan.Directory, "one"),
                Mode = CommitMode.Written,
                Logs = 1,
                Writers = plan.Writers,
                BatchBytes = plan.OneBatch,
                MinBytes = plan.OneBytes,
            }));
        }
        cancellation.ThrowIfCancellationRequested();
        if (only.Contains("many"))
        {
            results.RollingRate = await Terminal.RunAsync("Raw disk, rolling files", progress => RawDisk.RollingWritesAsync(plan.Directory, plan.ManyBytes, plan.Logs * plan.RetentionBytes, progress));
            results.ManyLogs = await StoreAsync($"written, {plan.Logs} logs", new StoreLoadOptions
            {
                Directory = Path.Join(plan.Directory, "many"),
                Mode = CommitMode.Written,
                Logs = plan.Logs,
                Writers = plan.Writers,
                BatchBytes = plan.ManyBatch,
                MinBytes = plan.ManyBytes,
                MinTime = plan.ManyTime,
                RetentionBytes = plan.RetentionBytes,
                MaintenanceInterval = plan.RetentionInterval,
            });
        }
        for (var i = 0; only.Contains("fsync") && i < 3; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            var single = await Terminal.RunAsync("One fsync per batch", _ => RawDisk.SyncedWritesAsync(plan.Directory, 1024, plan.FsyncTime, 64 << 20));
            var store = await StoreAsync($"fsync, {plan.FsyncWriters} writers, 1 KiB", new StoreLoadOptions
            {
                Directory = Path.Join(plan.Directory, "fsync"),
                Mode = CommitMode.Fsync,
                Logs = 1,
                Writers = plan.FsyncWriters,
                BatchBytes = 1024,
                MinTime = plan.FsyncTime,
            });
            (results.Fsync ??= []).Add(new FsyncResult(single, store));
        }
        return results;
    }

    private static async Task<StoreLoadResult> StoreAsync(string title, StoreLoadOptions options)
    {
        var result = await Terminal.RunAsync(title, progress => StoreLoad.RunAsync(options, progress));
        Directory.Delete(options.Directory, recursive: true);
        return result;
    }

    private static void Print(Plan plan, Results results)
    {
        var rows = new List<string[]>();
        if (results.RawMedian is { } raw)
            rows.Add([$"raw, {Sizes.Bytes(plan.RawBytes)} in 64 KiB page-cache writes, median of {plan.Runs}", Sizes.Rate(raw), "", "", "", "", ""]);
        if (results.OneLog is { } one)
            rows.Add(Row($"written, 1 log, {Sizes.Bytes(plan.OneBatch)} batches", one, results.OneLogRatio is { } r ? $"{r:P0} of raw (60 %)" : ""));
        if (results.RollingRate is { } rolling)
            rows.Add([$"raw, {Sizes.Bytes(plan.ManyBytes)}, the newest {Sizes.Bytes(plan.Logs * plan.RetentionBytes)} kept", Sizes.Rate(rolling), "", "", "", "", ""]);
        if (results.ManyLogs is { } many)
            rows.Add(Row($"written, {plan.Logs} logs, {Sizes.Bytes(plan.ManyBatch)} batches, retention {Sizes.Bytes(plan.RetentionBytes)} each", many, results.ManyLogsRatio is { } r ? $"{r:P0} of raw (40 %)" : ""));
        foreach (var fsync in results.Fsync ?? [])
        {
            rows.Add(["one fsync per 1 KiB batch", $"{Sizes.Count(fsync.OneFsyncPerBatch)}/s", "", "", "", "", ""]);
            var row = Row($"fsync, {plan.FsyncWriters} writers, 1 KiB batches", fsync.Store, $"{fsync.Ratio:F1} x (20 x)");
            row[1] = $"{Sizes.Count(fsync.Store.BatchesPerSecond)}/s";
            rows.Add(row);
        }
        Terminal.Print("Storage", ["measured", "rate", "target", "slowest second", "CPU", "disk use", "written/logical"], rows);
        if (results.RawRates.Count > 0) Terminal.Note($"raw, all: {string.Join(", ", results.RawRates.Select(Sizes.Rate))}");
        if (results.OneLogRuns.Count > 0) Terminal.Note($"1 log, all: {string.Join(", ", results.OneLogRuns.Select(r => Sizes.Rate(r.BytesPerSecond)))}");
        foreach (var (name, result) in new[] { ("1 log", results.OneLog), ($"{plan.Logs} logs", results.ManyLogs), ("fsync", results.Fsync?[^1].Store) })
        {
            if (result is null) continue;
            Terminal.Print($"Files, {name}", ["files", "written", "writes", "write s", "read", "read s", "syncs", "sync s", "created", "deleted"],
                result.Files.Select(f => (string[])[f.Key, Sizes.Bytes(f.Value.WrittenBytes), Sizes.Count(f.Value.Writes), $"{f.Value.WriteSeconds:F2}", Sizes.Bytes(f.Value.ReadBytes), $"{f.Value.ReadSeconds:F2}", Sizes.Count(f.Value.Syncs), $"{f.Value.SyncSeconds:F2}", $"{f.Value.Created}", $"{f.Value.Deleted}"]));
            Terminal.Note($"{name}: {result.Seconds:F1} s, {Sizes.Count(result.Batches)} batches, allocated {Sizes.Bytes(result.AllocatedBytes)} ({result.AllocatedBytes / (double)result.Batches:F0} B per batch), collections {result.Gen0}/{result.Gen1}/{result.Gen2}");
        }
    }

    private static string[] Row(string name, StoreLoadResult result, string target) =>
        [name, Sizes.Rate(result.BytesPerSecond), target, Sizes.Rate(result.SlowestSecondBytes), $"{result.CpuShare:F2}", $"{Sizes.Bytes(result.MaxDirectoryBytes)}", $"{result.WriteAmplification:F2}"];
}
