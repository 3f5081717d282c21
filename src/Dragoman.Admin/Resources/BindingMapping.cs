using System.Buffers.Text;
using System.Text.Json;
using Dragoman.Admin.Http;
using Dragoman.Admin.Model;
using Dragoman.Broker.Routing;

namespace Dragoman.Admin.Resources;

/// <summary>Turns routes into the API's form, and arguments back.</summary>
internal static class BindingMapping
{
    // The types of broker.Messages.HeaderTypes that JSON has.
    private const string WholeNumber = "l";
    private const string TruthValue = "t";

    public static BindingModel ToModel(Route route) => new(
        route.Source.Name,
        route.Target.Kind == RouteTargetKind.Queue ? route.Target.Name : null,
        route.Target.Kind == RouteTargetKind.Topic ? route.Target.Name : null,
        route.Key,
        route.Arguments.Count == 0 ? null : route.Arguments.GroupBy(a => a.Name).ToDictionary(static a => a.Key, static a => ToJson(a.First())),
        route.Source.Namespace.ToString());

    private static JsonElement ToJson(RouteArgument argument)
    {
        var value = argument.Value.Span;
        return argument.Type switch
        {
            TruthValue => JsonSerializer.SerializeToElement(value.SequenceEqual("true"u8), ArgumentJson.Default.Boolean),
            "b" or "B" or "s" or "u" or "I" or "i" or WholeNumber when Utf8Parser.TryParse(value, out long number, out var used) && used == value.Length => JsonSerializer.SerializeToElement(number, ArgumentJson.Default.Int64),
            _ => JsonSerializer.SerializeToElement(System.Text.Encoding.UTF8.GetString(value), ArgumentJson.Default.String),
        };
    }

    /// <exception cref="ProblemException">A value is of a kind that headers are not matched with.</exception>
    public static List<RouteArgument> ToArguments(BindingModel model)
    {
        var arguments = new List<RouteArgument>();
        foreach (var (name, value) in model.Arguments ?? new Dictionary<string, JsonElement>())
        {
            var (type, text) = value.ValueKind switch
            {
                JsonValueKind.String => ("", value.GetString()!),
                JsonValueKind.True or JsonValueKind.False => (TruthValue, value.GetBoolean() ? "true" : "false"),
                JsonValueKind.Number when value.TryGetInt64(out _) => (WholeNumber, value.GetRawText()),
                _ => throw ProblemException.BadRequest($"Argument '{name}' is {value.GetRawText()}; it should be a text, a whole number, true or false."),
            };
            arguments.Add(new RouteArgument(name, type, System.Text.Encoding.UTF8.GetBytes(text)));
        }
        return arguments;
    }
}
