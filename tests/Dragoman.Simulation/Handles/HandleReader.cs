using System.Globalization;
using System.Text;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Log;
using Dragoman.Storage.Records;

namespace Dragoman.Simulation.Handles;

/// <summary>Reads a partition through a handle. What it has seen, it has seen: it outlives the broker.</summary>
internal sealed class HandleReader(int partition)
{
    private readonly List<(int Producer, int Batch)> _seen = [];
    private readonly Dictionary<int, int> _next = [];

    /// <summary>What it has seen, by offset.</summary>
    public IReadOnlyList<(int Producer, int Batch)> Seen => _seen;

    /// <summary>Reads on, and checks that every producer's batches come in order and once. Returns false if there was nothing.</summary>
    public async Task<bool> ReadAsync(IPartitionHandle handle, int maxBytes)
    {
        using var read = new LogRead();
        var status = await handle.ReadAsync(_seen.Count, maxBytes, ReadIsolation.Committed, read);
        HandleRun.Check(status is PartitionStatus.Ok or PartitionStatus.Moved, $"partition {partition} can be read at {_seen.Count}: {status}");
        if (status != PartitionStatus.Ok) return true;
        if (read.TotalBytes == 0) return false;
        var bytes = new byte[read.TotalBytes];
        read.CopyTo(bytes);
        using var reader = new RecordBatchReader();
        for (var at = 0; at < bytes.Length; at += (int)reader.Header.TotalSize)
        {
            HandleRun.Check(reader.Open(bytes.AsMemory(at)) == BatchError.None, "a batch can be read");
            var records = reader.Records;
            while (records.MoveNext())
            {
                if (records.Current.Offset < _seen.Count) continue;
                HandleRun.Check(records.Current.Offset == _seen.Count, $"offset {_seen.Count} of partition {partition} is followed by {records.Current.Offset}");
                var parts = Encoding.UTF8.GetString(records.Current.Value.Span).Split('/');
                Take(int.Parse(parts[0], CultureInfo.InvariantCulture), int.Parse(parts[1], CultureInfo.InvariantCulture));
            }
        }
        return true;
    }

    private void Take(int producer, int batch)
    {
        var due = _next.GetValueOrDefault(producer);
        HandleRun.Check(batch == due, $"batch {due} of producer {producer} comes at offset {_seen.Count} of partition {partition}, not batch {batch}");
        _next[producer] = due + 1;
        _seen.Add((producer, batch));
    }
}
