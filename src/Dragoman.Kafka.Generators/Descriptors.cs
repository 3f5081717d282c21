using Microsoft.CodeAnalysis;

namespace Dragoman.Kafka.Generators;

/// <summary>The errors that a declaration can have.</summary>
internal static class Descriptors
{
    public static readonly DiagnosticDescriptor Shape = Create(
        "DRK001", "Message type has the wrong shape", "'{0}' must be a sealed partial class, and so must the types around it{1}");

    public static readonly DiagnosticDescriptor Versions = Create(
        "DRK002", "Not a version range", "'{0}' is given the versions '{1}', which are no range such as 4+, 0-12 or 3, or lie outside the message's");

    public static readonly DiagnosticDescriptor Type = Create(
        "DRK003", "Type has no wire form", "'{0}' is of type '{1}', which has no wire form");

    public static readonly DiagnosticDescriptor Nullability = Create(
        "DRK004", "Nullability contradicts the declaration", "'{0}': {1}");

    public static readonly DiagnosticDescriptor Undeclared = Create(
        "DRK005", "Property is no field", "'{0}' is a settable property of a message without [Field]{1}");

    public static readonly DiagnosticDescriptor Tag = Create(
        "DRK006", "Tag is not possible", "'{0}': {1}");

    public static readonly DiagnosticDescriptor Pair = Create(
        "DRK007", "Request and response do not match", "'{0}': {1}");

    private static DiagnosticDescriptor Create(string id, string title, string message) =>
        new(id, title, message, "Dragoman.Wire", DiagnosticSeverity.Error, isEnabledByDefault: true);
}
