using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.RabbitMq.Http;

/// <summary>Something in a list: its name, and the rest once somebody looks.</summary>
/// <param name="Vhost">Its virtual host; empty for what is in none.</param>
/// <param name="Name">Its name.</param>
/// <param name="Describe">Makes the object that the list shows.</param>
internal readonly record struct ListEntry(string Vhost, string Name, Func<ValueTask<JsonObject>> Describe)
{
    /// <summary>Finds the number in a column, where that is cheaper than to describe the whole; null for columns that it does not know.</summary>
    public Func<string, double?>? Number { get; init; }

    /// <summary>An entry that is known already.</summary>
    public static ListEntry Of(JsonObject item, string nameOf = "name") =>
        new(item["vhost"]?.GetValue<string>() ?? "", item[nameOf]?.GetValue<string>() ?? "", () => ValueTask.FromResult(item));
}

/// <summary>
/// Lists, sorted (<c>sort</c>, <c>sort_reverse</c>) and in pages (<c>page</c>, <c>page_size</c>, <c>name</c>,
/// <c>use_regex</c>) as requests ask for them. What no page shows is described only where the order depends on it.
/// </summary>
internal static class Paging
{
    private const int DefaultPageSize = 100;
    private const int MaxPageSize = 500;
    private const int MaxPatternLength = 1024;

    /// <summary>Answers a request with a list.</summary>
    /// <exception cref="ManagementException">The page asked for is none.</exception>
    public static async Task WriteAsync(ApiRequest request, IReadOnlyList<ListEntry> entries)
    {
        var columns = Columns.Of(request);
        var (page, size, name) = Read(request);
        var sorted = await SortAsync(entries, request.Query("sort") ?? "", request.Flag("sort_reverse"));
        if (page is not { } number)
        {
            await ApiRequest.SendAsync(request.Http, await DescribeAsync(sorted, columns), StatusCodes.Status200OK);
            return;
        }
        var filtered = name is null ? sorted : sorted.FindAll(e => name(e.Name));
        var first = (number - 1L) * size;
        if (first > filtered.Count)
            throw new ManagementException(StatusCodes.Status400BadRequest, "page_out_of_range", $"Page out of range, page: {number} page size: {size}, len: {filtered.Count}");
        var shown = filtered.GetRange((int)first, (int)Math.Min(size, filtered.Count - first));
        var answer = new JsonObject
        {
            ["filtered_count"] = filtered.Count,
            ["item_count"] = shown.Count,
            ["items"] = await DescribeAsync(shown, columns),
            ["page"] = number,
            ["page_count"] = (filtered.Count + size - 1) / size,
            ["page_size"] = size,
            ["total_count"] = sorted.Count,
        };
        await ApiRequest.SendAsync(request.Http, answer, StatusCodes.Status200OK);
    }

    private static async ValueTask<List<ListEntry>> SortAsync(IReadOnlyList<ListEntry> entries, string by, bool isReversed)
    {
        List<ListEntry> sorted;
        if (by is "" or "name" or "vhost")
        {
            sorted = [.. entries];
            sorted.Sort(by == "name" ? ByName : ByVhost);
        }
        else if (NumbersOf(entries, by) is { } numbers)
        {
            var order = Enumerable.Range(0, entries.Count).ToArray();
            Array.Sort(order, (a, b) => numbers[a].CompareTo(numbers[b]) is not 0 and var difference ? difference : ByVhost(entries[a], entries[b]));
            sorted = [.. order.Select(i => entries[i])];
        }
        else
        {
            var described = new List<(JsonNode? Key, ListEntry Entry)>(entries.Count);
            foreach (var entry in entries)
            {
                var item = await entry.Describe();
                described.Add((TermOrder.Find(item, by), entry with { Describe = () => ValueTask.FromResult(item) }));
            }
            described.Sort(static (a, b) => TermOrder.Instance.Compare(a.Key, b.Key) is not 0 and var order ? order : ByVhost(a.Entry, b.Entry));
            sorted = described.ConvertAll(static d => d.Entry);
        }
        if (isReversed) sorted.Reverse();
        return sorted;
    }

    /// <summary>The numbers to order by; null if the order takes more than that.</summary>
    private static double[]? NumbersOf(IReadOnlyList<ListEntry> entries, string by)
    {
        var numbers = new double[entries.Count];
        for (var i = 0; i < numbers.Length; i++)
        {
            if (entries[i].Number?.Invoke(by) is not { } number) return null;
            numbers[i] = number;
        }
        return numbers;
    }

    private static async ValueTask<JsonArray> DescribeAsync(List<ListEntry> entries, Columns columns)
    {
        var items = new JsonArray();
        foreach (var entry in entries) items.Add(columns.Pick(await entry.Describe()));
        return items;
    }

    private static int ByVhost(ListEntry a, ListEntry b) => string.CompareOrdinal(a.Vhost, b.Vhost) is not 0 and var order ? order : string.CompareOrdinal(a.Name, b.Name);

    private static int ByName(ListEntry a, ListEntry b) => string.CompareOrdinal(a.Name, b.Name) is not 0 and var order ? order : string.CompareOrdinal(a.Vhost, b.Vhost);

    private static (int? Page, int Size, Predicate<string>? Name) Read(ApiRequest request)
    {
        var page = Number(request.Query("page"));
        var size = Number(request.Query("page_size"));
        if (page is null) return (null, 0, null);
        if (page <= 0 || size is <= 0 or > MaxPageSize)
            throw Invalid($"Invalid pagination parameters: page number {page}, page size {size?.ToString(CultureInfo.InvariantCulture) ?? "undefined"}");
        if (request.Query("name") is not { Length: > 0 } text) return (page, size ?? DefaultPageSize, null);
        if (!request.Flag("use_regex")) return (page, size ?? DefaultPageSize, name => name.Contains(text, StringComparison.OrdinalIgnoreCase));
        if (text.Length > MaxPatternLength) throw Invalid("name filter regex is too long");
        try
        {
            return (page, size ?? DefaultPageSize, new Regex(text, RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.NonBacktracking).IsMatch);
        }
        catch (Exception error) when (error is ArgumentException or NotSupportedException)
        {
            throw ManagementException.BadRequest("Pagination parameters are invalid");
        }
    }

    private static int? Number(string? text)
    {
        if (text is null) return null;
        return int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : throw ManagementException.BadRequest("Pagination parameters are invalid");
    }

    private static ManagementException Invalid(string reason) => new(StatusCodes.Status400BadRequest, "invalid_pagination_parameters", reason);
}
