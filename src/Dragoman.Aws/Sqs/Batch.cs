using Dragoman.Aws.Http;

namespace Dragoman.Aws.Sqs;

/// <summary>The entries of a batch request, each of which succeeds or fails by itself.</summary>
internal static class Batch
{
    private const int MaxEntries = 10;
    private const int MaxIdLength = 80;

    /// <summary>Reads the entries.</summary>
    /// <param name="input">The request.</param>
    /// <param name="element">What the Query protocol calls an entry.</param>
    /// <exception cref="AwsException">There are none or too many, or their ids are not as they have to be.</exception>
    public static IReadOnlyList<(string Id, Input Entry)> Read(Input input, string element)
    {
        var entries = input.Structures("Entries", element);
        if (entries.Count == 0) throw SqsErrors.EmptyBatch(element);
        if (entries.Count > MaxEntries) throw SqsErrors.TooManyEntries(entries.Count);
        var read = new List<(string, Input)>(entries.Count);
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var entry in entries)
        {
            var id = entry.Required("Id");
            if (id.Length is 0 or > MaxIdLength || id.Any(static c => !(char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))) throw SqsErrors.InvalidEntryId();
            if (!ids.Add(id)) throw SqsErrors.NotDistinct(id);
            read.Add((id, entry));
        }
        return read;
    }

    /// <summary>Writes the entries that failed, if any did.</summary>
    public static void WriteFailed(Output output, IReadOnlyList<(string Id, AwsException Error)> failed)
    {
        if (failed.Count == 0) return;
        output.BeginList("Failed", "BatchResultErrorEntry");
        foreach (var (id, error) in failed)
        {
            output.BeginItem();
            output.Text("Id", id);
            output.Truth("SenderFault", error.Status < 500);
            output.Text("Code", error.Code);
            output.Text("Message", error.Message);
            output.EndItem();
        }
        output.EndList();
    }

    /// <summary>Writes entries of which nothing is to be said but that they succeeded.</summary>
    public static void WriteSuccessful(Output output, string element, IReadOnlyList<string> ids)
    {
        if (ids.Count == 0) return;
        output.BeginList("Successful", element);
        foreach (var id in ids)
        {
            output.BeginItem();
            output.Text("Id", id);
            output.EndItem();
        }
        output.EndList();
    }
}
