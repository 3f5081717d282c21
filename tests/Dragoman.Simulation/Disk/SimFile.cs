using Dragoman.Storage.Platform;

namespace Dragoman.Simulation;

public sealed partial class SimDisk
{
    private sealed class SimFile : IStorageFile
    {
        private readonly SimDisk _disk;
        private readonly SimInode _inode;
        private readonly SimProcess _owner;
        private readonly string _path;
        private readonly bool _writable;
        private readonly int _epoch;

        private bool _disposed;

        public SimFile(SimDisk disk, SimInode inode, string path, FileOpenMode mode)
        {
            _disk = disk;
            _inode = inode;
            _owner = disk._scheduler.Current;
            _path = path;
            _writable = mode != FileOpenMode.Read;
            _epoch = disk.Epoch;
            inode.OpenHandles++;
            disk._open.Add(inode);
        }

        public long Length
        {
            get
            {
                DemandUsable();
                return _inode.Length;
            }
        }

        public int Read(long position, Span<byte> buffer)
        {
            DemandUsable();
            ArgumentOutOfRangeException.ThrowIfNegative(position);
            _disk.Counters.Reads++;
            if (Take(ref _disk._failRead))
            {
                throw new IOException($"Simulated failure to read '{_path}' at {position}.");
            }

            int count = _inode.Read(position, buffer);
            _disk.Counters.BytesRead += count;
            return count;
        }

        public async ValueTask WriteAsync(long position, ReadOnlyMemory<byte> bytes)
        {
            DemandWritable();
            ArgumentOutOfRangeException.ThrowIfNegative(position);
            bool crash = _disk.CountOperation($"write {_path} at {position}, {bytes.Length} bytes");
            bool fail = Take(ref _disk._failWrite);
            _disk.Counters.Writes++;
            byte[] taken = bytes.ToArray();
            var write = new WriteInProgress(_inode, position, taken);
            _disk._writing.Add(write);

            await _disk.LatencyAsync(_disk._options.MaxWriteLatency);
            DemandUsable();
            if (crash)
            {
                _disk.CrashNow();
            }

            // Other code sees, and a crash leaves, a first part of it: whole sectors, as no flush takes half of one's update.
            long cut = position + _disk._random.Next(write.Left + 1);
            cut -= cut % SimInode.SectorSize;
            write.Advance(FitsUpTo(cut) ? (int)Math.Max(cut - position, 0) : 0);
            if (!fail && _disk._random.OneIn(4))
            {
                await _disk.LatencyAsync(_disk._options.MaxWriteLatency);
                DemandUsable();
            }

            if (fail || !FitsUpTo(position + taken.Length))
            {
                _disk._writing.Remove(write);
                throw new IOException(fail ? $"Simulated failure to write '{_path}' at {position}." : $"No space left on device: '{_path}'.");
            }

            write.Advance(write.Left);
            _disk._writing.Remove(write);
            _disk.Counters.BytesWritten += taken.Length;
            if (!bytes.Span.SequenceEqual(taken))
            {
                throw new SimulationFailedException(_disk._scheduler.Describe($"The buffer changed during a write of '{_path}' at {position}"));
            }
        }

        // A write that failed has said so already.
        public ValueTask CheckWrittenAsync()
        {
            DemandWritable();
            return ValueTask.CompletedTask;
        }

        public async ValueTask SyncAsync()
        {
            DemandWritable();
            bool crash = _disk.CountOperation($"sync {_path}");
            bool fail = Take(ref _disk._failSync);
            _disk.Counters.Syncs++;
            long upTo = _inode.Sequence;

            await _disk.LatencyAsync(_disk._options.MaxSyncLatency);
            DemandUsable();
            if (crash && _disk._random.OneIn(2))
            {
                _disk.CrashNow();
            }

            if (fail)
            {
                _inode.FailSync(upTo, _disk._random);
                throw new IOException($"Simulated failure to sync '{_path}'.");
            }

            if (!_disk.IgnoreSyncs)
            {
                _inode.Sync(upTo);
            }

            if (crash)
            {
                _disk.CrashNow();
            }
        }

        public void Preallocate(long length)
        {
            DemandWritable();
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
            _disk.Change($"preallocate {_path} to {length}", () =>
            {
                _disk.Grow(_inode, length, () => new DiskFullException($"No space to grow '{_path}' from {_inode.Length} to {length} bytes."));
                if (length > _inode.Length)
                {
                    _inode.SetLength(length);
                }
            });
        }

        public void Truncate(long length)
        {
            DemandWritable();
            ArgumentOutOfRangeException.ThrowIfNegative(length);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(length, _inode.Length);
            _disk.Change($"truncate {_path} to {length}", () => _inode.SetLength(length));
        }

        // A process that dies closes its handles in whatever order its cleanup runs, so this never throws.
        public void Dispose()
        {
            if (!_disposed && _epoch == _disk.Epoch && --_inode.OpenHandles == 0)
            {
                _disk._open.Remove(_inode);
            }

            _disposed = true;
        }

        private bool FitsUpTo(long end) => end <= _inode.Length || end - _inode.Length <= _disk.Capacity - _disk.UsedBytes;

        private void DemandUsable()
        {
            if (_epoch != _disk.Epoch || _owner.IsDead || _disk._scheduler.Current.IsDead)
            {
                throw new SimulatedCrashException($"'{_path}' was opened by {_owner}, before a crash.");
            }

            ObjectDisposedException.ThrowIf(_disposed, this);
        }

        private void DemandWritable()
        {
            DemandUsable();
            if (!_writable)
            {
                throw new InvalidOperationException($"'{_path}' was opened for reading.");
            }
        }
    }
}
