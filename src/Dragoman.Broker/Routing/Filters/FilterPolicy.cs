using Dragoman.Broker.Subscriptions;

namespace Dragoman.Broker.Routing.Filters;

/// <summary>
/// Which messages a route carries, as Amazon SNS' filter policies say it: all keys of a policy must match, each by one of the
/// conditions in its list; <c>$or</c> is a choice between objects. Compiled once, safe for concurrent use; looking at
/// attributes allocates nothing where none is a list.
/// </summary>
public sealed class FilterPolicy
{
    private const int MaxStackFields = 512;

    private readonly FilterField[] _fields;
    private readonly int[][] _alternatives;

    private FilterPolicy(FilterScope scope, FilterField[] fields, int[][] alternatives)
    {
        Scope = scope;
        _fields = fields;
        _alternatives = alternatives;
    }

    /// <summary>What it looks at.</summary>
    public FilterScope Scope { get; }

    /// <summary>Reads a policy.</summary>
    /// <param name="json">A JSON object.</param>
    /// <param name="scope">What it is to look at.</param>
    /// <exception cref="FilterPolicyException">It is not a policy, or too large a one.</exception>
    public static FilterPolicy Parse(string json, FilterScope scope)
    {
        ArgumentNullException.ThrowIfNull(json);
        var parsed = new FilterPolicyParser(json, scope).Parse();
        return new FilterPolicy(scope, parsed.Fields, parsed.Alternatives);
    }

    /// <summary>Whether a message is to be carried.</summary>
    public bool Matches(in MessageView message)
    {
        Span<bool> found = _fields.Length <= MaxStackFields ? stackalloc bool[_fields.Length] : new bool[_fields.Length];
        Span<bool> holds = _fields.Length <= MaxStackFields ? stackalloc bool[_fields.Length] : new bool[_fields.Length];
        found.Clear();
        holds.Clear();
        if (Scope == FilterScope.Body)
        {
            if (!FilterBody.TryRead(message.Value.Span, _fields, found, holds)) return false;
        }
        else
        {
            FilterAttributes.Read(message.Headers, _fields, found, holds);
        }
        for (var i = 0; i < _fields.Length; i++)
            holds[i] |= found[i] ? _fields[i].MatchesPresence : _fields[i].MatchesAbsence;
        foreach (var alternative in _alternatives)
        {
            var all = true;
            foreach (var field in alternative)
            {
                if (holds[field]) continue;
                all = false;
                break;
            }
            if (all) return true;
        }
        return false;
    }
}
