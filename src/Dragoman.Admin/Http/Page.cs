using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.Http;

/// <summary>A part of a long list: so many entries after one.</summary>
/// <param name="After">The name that the entries come after; empty for the beginning.</param>
/// <param name="Limit">How many at most.</param>
internal readonly record struct Page(string After, int Limit)
{
    /// <summary>How many entries there are where the request does not say.</summary>
    public const int DefaultLimit = 1000;

    /// <summary>How many entries a request can ask for.</summary>
    public const int MaxLimit = 10_000;

    /// <summary>Reads <c>after</c> and <c>limit</c> from a request's query.</summary>
    /// <exception cref="ProblemException">The limit is none.</exception>
    public static Page Of(HttpContext context)
    {
        var query = context.Request.Query;
        var limit = DefaultLimit;
        if (query.TryGetValue("limit", out var text) && !(int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) && limit is >= 1 and <= MaxLimit))
            throw ProblemException.BadRequest($"limit is '{text}'; it should be a number from 1 to {MaxLimit}.");
        return new Page(query["after"].ToString(), limit);
    }

    /// <summary>Picks the entries of the page.</summary>
    /// <param name="sorted">All entries, in the ordinal order of their names.</param>
    /// <param name="nameOf">An entry's name.</param>
    /// <param name="isWanted">Whether an entry belongs to the list.</param>
    /// <returns>The entries, and the name after which the next page begins; null if there is none.</returns>
    public (List<T> Entries, string? Next) Take<T>(IEnumerable<T> sorted, Func<T, string> nameOf, Func<T, bool> isWanted)
    {
        var entries = new List<T>();
        foreach (var entry in sorted)
        {
            if (!isWanted(entry) || (After.Length > 0 && string.CompareOrdinal(nameOf(entry), After) <= 0)) continue;
            if (entries.Count == Limit) return (entries, nameOf(entries[^1]));
            entries.Add(entry);
        }
        return (entries, null);
    }
}
