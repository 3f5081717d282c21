using System.Buffers.Binary;
using System.IO.Hashing;
using Dragoman.Broker;
using Dragoman.Broker.Inspection;
using Dragoman.Broker.Topics;
using Dragoman.Fuzz.Fuzzing;
using Dragoman.Storage;
using Dragoman.Storage.Inspection;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Fuzz.Targets;

/// <summary>
/// The directory of a stopped broker in which one file is damaged: the inspector says so, and neither throws nor takes memory
/// out of proportion; of a directory that is whole it says that.
/// </summary>
internal sealed class InspectedStores : FuzzTarget, IDisposable
{
    private readonly string _directory;
    private readonly List<(string Path, byte[] Bytes)> _files;
    private (string Path, byte[] Bytes) _file;

    private InspectedStores(string directory)
    {
        _directory = directory;
        _files = [.. Directory.GetFiles(directory).Order(StringComparer.Ordinal).Select(path => (path, File.ReadAllBytes(path))).Where(file => file.Item2.Length > 0)];
    }

    public override string Input => $"{Path.GetFileName(_file.Path)} in a store";

    public static async Task<InspectedStores> StartAsync()
    {
        var directory = Path.Join(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"dragoman-fuzz-{Guid.NewGuid():N}");
        var store = new StoreOptions { Directory = directory, JournalFileBytes = 64 << 10, MaxJournalFileBytes = 1 << 20, MaxRoundBytes = 8 << 10, TailBytes = 32 << 10, MaxPendingBytes = 256 << 10, ReserveBytes = 16 << 10, HeadroomBytes = 0, OwnSegmentBytes = 4 << 10, PromoteBytes = 8 << 10 };
        for (var life = 0; life < 3; life++)
        {
            await using var broker = await Broker.Broker.StartAsync(new BrokerOptions { Store = store }, new OsFileSystem(), TimeProvider.System, ThreadPoolScheduler.Instance, new Random(life));
            var topic = (await broker.Topics.CreateAsync(TopicName.InDefault($"t{life}"), 2, TopicSettings.Default)).Topic!;
            for (var i = 0; i < 20; i++) await topic.Partitions[i % 2].AppendAsync(Batch(i));
            if (life < 2) await broker.Store.CheckpointAsync();
        }
        return new InspectedStores(directory);
    }

    private static byte[] Batch(int number)
    {
        using var builder = new RecordBatchBuilder();
        for (var i = 0; i < 3; i++) builder.Add(number, "key"u8, new byte[100 + number]);
        return builder.Build(new BatchOptions { Codec = (CompressionCodec)(number % 5) }).ToArray();
    }

    public override byte[] Generate(Random random)
    {
        _file = _files[random.Next(_files.Count)];
        return _file.Bytes;
    }

    // A manifest is behind a checksum; what is in the journal and in segments has others, which damage has to get past by itself.
    public override byte[] Seal(byte[] input)
    {
        if (!Path.GetFileName(_file.Path).StartsWith("manifest-", StringComparison.Ordinal) || input.Length < 24) return input;
        var sealedBytes = (byte[])input.Clone();
        BinaryPrimitives.WriteInt32LittleEndian(sealedBytes.AsSpan(12), sealedBytes.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(sealedBytes.AsSpan(16), XxHash3.HashToUInt64(sealedBytes.AsSpan(24)));
        return sealedBytes;
    }

    public override bool Decode(byte[] input, Random random)
    {
        File.WriteAllBytes(_file.Path, input);
        try
        {
            var inspection = BrokerInspector.Inspect(new OsFileSystem(), _directory, new StoreInspectionOptions());
            var isWhole = input.AsSpan().SequenceEqual(_file.Bytes);
            var isDamaged = inspection.Store.Findings.Any(finding => finding.IsDamage);
            if (isWhole && isDamaged) throw new FuzzFailedException($"Of a store that is whole it is said: {inspection.Store.Findings[0]}");
            return !isDamaged;
        }
        finally
        {
            File.WriteAllBytes(_file.Path, _file.Bytes);
        }
    }

    public override bool IsRefusal(Exception error) => false;

    // Reading the whole directory costs what it costs, whatever one file says.
    public override long MostAllocated(byte[] input) => 64 << 20;

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
