using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.RabbitMq.Http;

/// <summary>Answers a request.</summary>
internal delegate Task EndpointHandler(ApiRequest request);

/// <summary>A path of the API, and what each method does there.</summary>
/// <param name="pattern">The path below <c>/api</c>; a segment that begins with a colon is a value.</param>
internal sealed class Endpoint(string pattern)
{
    private readonly string[] _segments = pattern.Split('/', StringSplitOptions.RemoveEmptyEntries);
    private readonly Dictionary<string, (EndpointHandler Handler, Access Access)> _handlers = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>How many of the segments are fixed.</summary>
    public int Literals => _segments.Count(static s => s[0] != ':');

    /// <summary>The first segment, which is fixed.</summary>
    public string First => _segments[0];

    /// <summary>The methods, as the header <c>Allow</c> has them.</summary>
    public string Allow { get; private set; } = "OPTIONS";

    /// <summary>Says what GET does here.</summary>
    public Endpoint Get(EndpointHandler handler, Access access = Access.Management)
    {
        On(HttpMethods.Get, handler, access);
        return On(HttpMethods.Head, handler, access);
    }

    /// <summary>Says what PUT does here.</summary>
    public Endpoint Put(EndpointHandler handler, Access access = Access.Management) => On(HttpMethods.Put, handler, access);

    /// <summary>Says what POST does here.</summary>
    public Endpoint Post(EndpointHandler handler, Access access = Access.Management) => On(HttpMethods.Post, handler, access);

    /// <summary>Says what DELETE does here.</summary>
    public Endpoint Delete(EndpointHandler handler, Access access = Access.Management) => On(HttpMethods.Delete, handler, access);

    /// <summary>Whether a path is this one.</summary>
    /// <param name="path">The unescaped segments below <c>/api</c>.</param>
    /// <param name="values">The segments that are values, by name.</param>
    public bool Matches(ReadOnlySpan<string> path, [NotNullWhen(true)] out Dictionary<string, string>? values)
    {
        values = null;
        if (path.Length != _segments.Length) return false;
        for (var i = 0; i < path.Length; i++)
            if (_segments[i][0] != ':' && _segments[i] != path[i]) return false;
        values = new Dictionary<string, string>(StringComparer.Ordinal);
        for (var i = 0; i < path.Length; i++)
            if (_segments[i][0] == ':') values[_segments[i][1..]] = path[i];
        return true;
    }

    /// <summary>What a method does here.</summary>
    public bool TryGet(string method, out EndpointHandler handler, out Access access)
    {
        var found = _handlers.TryGetValue(method, out var entry);
        (handler, access) = entry;
        return found;
    }

    private Endpoint On(string method, EndpointHandler handler, Access access)
    {
        _handlers.Add(method, (handler, access));
        Allow = string.Join(", ", _handlers.Keys.Append("OPTIONS"));
        return this;
    }
}
