using Dragoman.Storage.Platform;

namespace Dragoman.Simulation.Tests;

/// <summary>While nothing goes wrong the simulated disk and the operating system's cannot be told apart.</summary>
public sealed class AgainstRealDiskTests
{
    [Fact]
    public void Random_operations_have_the_same_outcome_on_both()
    {
        Seeds.Check(30, seed =>
        {
            string root = Directory.CreateTempSubdirectory("dragoman-sim-").FullName;
            try
            {
                var scheduler = new SimScheduler(seed);
                var disk = new SimDisk(scheduler);
                string simulated = scheduler.Execute(() => Walk(disk, "/r", new SimRandom(seed)));
                string real = Walk(new OsFileSystem(), $"{root}/r", new SimRandom(seed)).GetAwaiter().GetResult();
                Assert.Equal(real.Replace(root, "", StringComparison.Ordinal), simulated);
            }
            finally
            {
                Directory.Delete(root, recursive: true);
            }
        });
    }

    private static async Task<string> Walk(IFileSystem files, string root, SimRandom random)
    {
        var log = new List<string>();
        var open = new List<IStorageFile>();
        string[] directories = [$"{root}/x", $"{root}/y/z"];
        foreach (string directory in directories)
        {
            files.CreateDirectory(directory);
        }

        string Path() => $"{random.Pick([.. directories, $"{root}/none"])}/{random.Pick(["a", "b", "B", "c"])}";

        for (int i = 0; i < 200; i++)
        {
            try
            {
                log.Add(await Step());
            }
            catch (Exception failure) when (failure is IOException or InvalidOperationException or ArgumentException)
            {
                log.Add(failure.GetType().Name);
            }
        }

        open.ForEach(file => file.Dispose());
        return string.Join('\n', log);

        async Task<string> Step()
        {
            if (random.OneIn(2) && open.Count > 0)
            {
                var file = random.Pick(open);
                int length = random.Next(3000), position = random.Next(5000);
                switch (random.Next(7))
                {
                    case 0 or 1:
                        byte[] bytes = new byte[length];
                        random.Fill(bytes);
                        await file.WriteAsync(position, bytes);
                        return $"write {file.Length}";
                    case 2 or 3:
                        byte[] buffer = new byte[length];
                        int count = file.Read(position, buffer);
                        return $"read {count} {Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(buffer.AsSpan(0, count)))}";
                    case 4:
                        file.Preallocate(position + 1);
                        return $"preallocate {file.Length}";
                    case 5:
                        file.Truncate(position);
                        return $"truncate {file.Length}";
                    default:
                        await file.SyncAsync();
                        return "sync";
                }
            }

            switch (random.Next(6))
            {
                case 0 or 1:
                    open.Add(files.Open(Path(), (FileOpenMode)random.Next(3)));
                    return $"open {open[^1].Length}";
                case 2:
                    files.Delete(Path());
                    return "delete";
                case 3:
                    files.Rename(Path(), Path());
                    return "rename";
                case 4:
                    string directory = random.Pick(directories);
                    files.SyncDirectory(directory);
                    return string.Join(',', files.ListFiles(directory));
                default:
                    string path = Path();
                    return $"exists {path} {files.FileExists(path)}";
            }
        }
    }
}
