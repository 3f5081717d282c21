using System.CommandLine;

namespace Dragoman.Commands;

/// <summary>Options that commands have in common.</summary>
internal static class ClientOptions
{
    public static Option<string?> Server() => new("--server")
    {
        Description = $"The broker's admin listener. [default: ${AdminClient.ServerVariable} or {AdminClient.DefaultServer}]",
        HelpName = "URL",
    };

    public static Option<string?> Namespace(string of = "topic") => new("--namespace") { Description = $"The {of}'s namespace. [default: public/default]", HelpName = "TENANT/NAME" };

    /// <summary>The namespace, of which only what is in it is wanted.</summary>
    public static Option<string?> OnlyNamespace(string things) => new("--namespace") { Description = $"Only {things} of this namespace.", HelpName = "TENANT/NAME" };

    public static Option<bool> Json() => new("--json") { Description = "Print JSON instead of text for people." };

    public static Argument<string> Queue() => new("QUEUE") { Description = "The queue's name." };

    public static Argument<string> Topic() => new("TOPIC") { Description = "The topic's name." };

    /// <summary>Puts a query together of what is not null.</summary>
    public static string Query(string path, params ReadOnlySpan<(string Name, string? Value)> parameters)
    {
        var separator = '?';
        foreach (var (name, value) in parameters)
        {
            if (value is null) continue;
            path += $"{separator}{name}={Uri.EscapeDataString(value)}";
            separator = '&';
        }
        return path;
    }
}
