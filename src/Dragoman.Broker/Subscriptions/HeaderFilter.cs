using System.Collections.Immutable;
using System.Text;
using Dragoman.Storage.Platform;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Subscriptions;

/// <summary>How a header is looked at.</summary>
public enum HeaderMatch : byte
{
    /// <summary>It is there.</summary>
    Exists = 0,

    /// <summary>Its value is the text.</summary>
    Equal = 1,

    /// <summary>Its value begins with the text.</summary>
    Prefix = 2,
}

/// <summary>A condition on one header.</summary>
/// <param name="Name">The header.</param>
/// <param name="Match">How it is looked at.</param>
/// <param name="Text">What it is compared with.</param>
/// <param name="IsNegated">Whether the condition must not hold.</param>
public sealed record HeaderCondition(string Name, HeaderMatch Match, string Text = "", bool IsNegated = false)
{
    private readonly byte[] _name = Encoding.UTF8.GetBytes(Name);
    private readonly byte[] _text = Encoding.UTF8.GetBytes(Text);

    internal bool Holds(RecordHeaders headers)
    {
        var found = headers.TryGetLast(_name, out var value);
        var holds = found && Match switch
        {
            HeaderMatch.Exists => true,
            HeaderMatch.Equal => value.Span.SequenceEqual(_text),
            _ => value.Span.StartsWith(_text),
        };
        return holds != IsNegated;
    }

    /// <inheritdoc/>
    public bool Equals(HeaderCondition? other) =>
        other is not null && Name == other.Name && Match == other.Match && Text == other.Text && IsNegated == other.IsNegated;

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Name, Match, Text, IsNegated);
}

/// <summary>
/// Which messages a subscription delivers, by their headers: those for which all conditions of at least one group hold.
/// </summary>
/// <param name="AnyOf">The groups.</param>
public sealed record HeaderFilter(ImmutableArray<ImmutableArray<HeaderCondition>> AnyOf)
{
    /// <summary>Whether a message with these headers is delivered.</summary>
    public bool Matches(RecordHeaders headers)
    {
        foreach (var group in AnyOf)
        {
            var all = true;
            foreach (var condition in group)
            {
                if (condition.Holds(headers)) continue;
                all = false;
                break;
            }
            if (all) return true;
        }
        return false;
    }

    /// <inheritdoc/>
    public bool Equals(HeaderFilter? other)
    {
        if (other is null || AnyOf.Length != other.AnyOf.Length) return false;
        for (var i = 0; i < AnyOf.Length; i++)
            if (!AnyOf[i].AsSpan().SequenceEqual(other.AnyOf[i].AsSpan())) return false;
        return true;
    }

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var group in AnyOf)
            foreach (var condition in group) hash.Add(condition);
        return hash.ToHashCode();
    }

    internal void Write(in SnapshotWriter writer)
    {
        writer.Int32(AnyOf.Length);
        foreach (var group in AnyOf)
        {
            writer.Int32(group.Length);
            foreach (var condition in group)
            {
                writer.Text(condition.Name);
                writer.Byte((byte)condition.Match);
                writer.Text(condition.Text);
                writer.Bool(condition.IsNegated);
            }
        }
    }

    internal static HeaderFilter Read(ref SnapshotReader reader)
    {
        var groups = new ImmutableArray<HeaderCondition>[reader.Count()];
        for (var i = 0; i < groups.Length; i++)
        {
            var group = new HeaderCondition[reader.Count()];
            for (var k = 0; k < group.Length; k++)
                group[k] = new HeaderCondition(reader.Text(), (HeaderMatch)reader.Byte(), reader.Text(), reader.Bool());
            groups[i] = [.. group];
        }
        return new HeaderFilter([.. groups]);
    }
}
