using System.Text;

namespace Dragoman.Broker.Routing.Filters;

/// <summary>A key of a policy and the conditions in its list, of which one has to hold.</summary>
internal sealed class FilterField
{
    public FilterField(string path, IReadOnlyList<FilterCondition> conditions)
    {
        Path = Encoding.UTF8.GetBytes(path);
        foreach (var condition in conditions)
        {
            MatchesPresence |= condition is { Kind: FilterConditionKind.Exists, MustExist: true };
            MatchesAbsence |= condition is { Kind: FilterConditionKind.Exists, MustExist: false };
        }
        Conditions = [.. conditions.Where(static c => c.Kind != FilterConditionKind.Exists)];
    }

    /// <summary>The key; in a body, the keys that lead to it, with dots between them.</summary>
    public byte[] Path { get; }

    /// <summary>What values are compared with.</summary>
    public FilterCondition[] Conditions { get; }

    /// <summary>Whether it is enough that there is a value.</summary>
    public bool MatchesPresence { get; }

    /// <summary>Whether it is enough that there is none.</summary>
    public bool MatchesAbsence { get; }

    /// <summary>Whether a value matches a condition.</summary>
    public bool Matches(in FilterValue value)
    {
        foreach (var condition in Conditions)
            if (condition.Matches(value)) return true;
        return false;
    }
}
