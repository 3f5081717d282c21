using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.Http;

/// <summary>Reads values of a request's query.</summary>
internal static class Query
{
    /// <exception cref="ProblemException">It is neither true nor false.</exception>
    public static bool Flag(HttpContext context, string name) => context.Request.Query[name].ToString() switch
    {
        "" or "false" => false,
        "true" => true,
        var other => throw ProblemException.BadRequest($"{name} is '{other}'; it should be true or false."),
    };

    /// <exception cref="ProblemException">It is no number, or out of bounds.</exception>
    public static long Number(HttpContext context, string name, long fallback, long least, long most)
    {
        if (!context.Request.Query.TryGetValue(name, out var text)) return fallback;
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw ProblemException.BadRequest($"{name} is '{text}'; it should be a number {(most == long.MaxValue ? $"from {least} on" : $"from {least} to {most}")}.");
    }
}
