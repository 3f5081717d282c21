using Dragoman.Broker.Namespaces;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.Http;

/// <summary>The namespace that a request is about.</summary>
internal static class Scope
{
    /// <summary>The namespace that the query names; null if it names none.</summary>
    /// <exception cref="ProblemException">It names something else.</exception>
    public static NamespaceName? Of(HttpContext context)
    {
        if (!context.Request.Query.TryGetValue("namespace", out var text)) return null;
        return NamespaceName.TryParse(text.ToString(), out var parsed) ? parsed : throw ProblemException.BadRequest($"'{text}' is not a namespace; it should look like {NamespaceName.Default}.");
    }

    /// <summary>The namespace that the query names, or the default one.</summary>
    public static NamespaceName OrDefault(HttpContext context) => Of(context) ?? NamespaceName.Default;
}
