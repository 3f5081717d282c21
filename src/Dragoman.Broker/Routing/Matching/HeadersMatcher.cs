using System.Text;
using Dragoman.Broker.Messages;
using Dragoman.Storage.Records;

namespace Dragoman.Broker.Routing.Matching;

/// <summary>
/// A route takes the messages that have its arguments among their headers: all of them, or any, as its argument
/// <c>x-match</c> says. An argument without a value asks only that the header is there. Other arguments that begin with
/// <c>x-</c> count only if <c>x-match</c> is <c>all-with-x</c> or <c>any-with-x</c>.
/// </summary>
internal sealed class HeadersMatcher : IRouteMatcher
{
    private const string ModeArgument = "x-match";

    private readonly Dictionary<LiveRoute, Pattern> _routes = new(ReferenceEqualityComparer.Instance);

    public bool DependsOnHeaders => true;

    public bool DependsOnKey => false;

    private sealed record Pattern(bool All, List<(byte[] Name, byte[] Type, byte[] Value)> Fields);

    /// <summary>What is wrong with how a route is to match, in RabbitMQ's words; null if nothing is.</summary>
    public static string? CheckMode(IReadOnlyList<RouteArgument> arguments)
    {
        foreach (var argument in arguments)
        {
            if (argument.Name != ModeArgument) continue;
            var value = Encoding.UTF8.GetString(argument.Value.Span);
            if (argument.Type.Length > 0) return $"Invalid x-match field type {argument.Type} (value {value}); expected longstr";
            if (value is not ("all" or "any" or "all-with-x" or "any-with-x")) return $"Invalid x-match field value <<\"{value}\">>; expected all, any, all-with-x, or any-with-x";
        }
        return null;
    }

    public void Add(LiveRoute route)
    {
        var mode = ModeOf(route.Route.Arguments);
        var withX = mode is "all-with-x" or "any-with-x";
        var fields = new List<(byte[], byte[], byte[])>();
        foreach (var argument in route.Route.Arguments)
        {
            if (argument.Name == ModeArgument || (!withX && argument.Name.StartsWith("x-", StringComparison.Ordinal))) continue;
            fields.Add((Encoding.UTF8.GetBytes(argument.Name), Encoding.UTF8.GetBytes(argument.Type), argument.Value.ToArray()));
        }
        _routes[route] = new Pattern(mode is not ("any" or "any-with-x"), fields);
    }

    private static string ModeOf(IReadOnlyList<RouteArgument> arguments)
    {
        foreach (var argument in arguments)
            if (argument is { Name: ModeArgument, Type: "" }) return Encoding.UTF8.GetString(argument.Value.Span);
        return "all";
    }

    public void Remove(LiveRoute route) => _routes.Remove(route);

    public void Match(string routingKey, RecordHeaders headers, List<LiveRoute> found)
    {
        ReadOnlySpan<byte> types = headers.TryGetLast(HeaderTypes.Header, out var value) ? value.Span : default;
        foreach (var (route, pattern) in _routes)
            if (Matches(pattern, headers, types)) found.Add(route);
    }

    private static bool Matches(Pattern pattern, RecordHeaders headers, ReadOnlySpan<byte> types)
    {
        foreach (var (name, type, value) in pattern.Fields)
        {
            var matches = headers.TryGetLast(name, out var header)
                && (type.AsSpan().SequenceEqual("V"u8) || (IsSameClass(type, HeaderTypes.Find(types, name)) && header.Span.SequenceEqual(value)));
            if (matches != pattern.All) return matches;
        }
        return pattern.All;
    }

    /// <summary>Whether values of two types can be equal: whole numbers of any width are, and so is floating point.</summary>
    private static bool IsSameClass(ReadOnlySpan<byte> a, ReadOnlySpan<byte> b) => a.SequenceEqual(b) || (ClassOf(a) is var known && known != '\0' && known == ClassOf(b));

    private static char ClassOf(ReadOnlySpan<byte> type) => type.Length != 1 ? '\0' : (char)type[0] switch
    {
        'b' or 'B' or 's' or 'u' or 'I' or 'i' or 'l' => 'i',
        'f' or 'd' => 'f',
        _ => '\0',
    };
}
