namespace Dragoman.Admin.RabbitMq.Http;

/// <summary>Adds what it answers to the table.</summary>
internal interface IResource
{
    /// <summary>Adds the resource's paths.</summary>
    void Map(EndpointTable table);
}

/// <summary>All paths of the API.</summary>
internal sealed class EndpointTable
{
    private readonly Dictionary<string, List<Endpoint>> _byFirst = new(StringComparer.Ordinal);

    /// <summary>Adds a path: see <see cref="Endpoint"/>.</summary>
    public Endpoint Map(string pattern)
    {
        var endpoint = new Endpoint(pattern);
        if (!_byFirst.TryGetValue(endpoint.First, out var siblings)) _byFirst.Add(endpoint.First, siblings = []);
        // Fixed segments win over values, whatever the order in which resources were added.
        var at = siblings.FindIndex(e => e.Literals < endpoint.Literals);
        siblings.Insert(at < 0 ? siblings.Count : at, endpoint);
        return endpoint;
    }

    /// <summary>Finds a path; null if there is none.</summary>
    public Endpoint? Find(ReadOnlySpan<string> path, out Dictionary<string, string> values)
    {
        values = [];
        if (path.IsEmpty || !_byFirst.TryGetValue(path[0], out var siblings)) return null;
        foreach (var endpoint in siblings)
        {
            if (!endpoint.Matches(path, out var found)) continue;
            values = found;
            return endpoint;
        }
        return null;
    }
}
