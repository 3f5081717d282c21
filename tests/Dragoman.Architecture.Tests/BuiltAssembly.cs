using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;

namespace Dragoman.Architecture.Tests;

/// <summary>What a project's assembly refers to, read from its metadata: what the compiler found to be used.</summary>
internal sealed class BuiltAssembly
{
    private BuiltAssembly(string project, IReadOnlySet<string> references, IReadOnlySet<string> types, IReadOnlySet<string> interfaces)
    {
        Project = project;
        References = references;
        Types = types;
        ImplementedInterfaces = interfaces;
    }

    public string Project { get; }

    /// <summary>Projects of ours that it uses.</summary>
    public IReadOnlySet<string> References { get; }

    /// <summary>Full names of types of other assemblies that it uses.</summary>
    public IReadOnlySet<string> Types { get; }

    /// <summary>Full names of interfaces of other assemblies that a type of it implements.</summary>
    public IReadOnlySet<string> ImplementedInterfaces { get; }

    public static BuiltAssembly Load(string project)
    {
        using var file = File.OpenRead(Path.Join(AppContext.BaseDirectory, AssemblyName(project) + ".dll"));
        using var portable = new PEReader(file);
        var metadata = portable.GetMetadataReader();
        var references = metadata.AssemblyReferences.Select(handle => metadata.GetString(metadata.GetAssemblyReference(handle).Name));
        var types = metadata.TypeReferences.Select(handle => FullName(metadata, handle));
        var interfaces = metadata.TypeDefinitions
            .SelectMany(handle => metadata.GetTypeDefinition(handle).GetInterfaceImplementations())
            .Select(handle => metadata.GetInterfaceImplementation(handle).Interface)
            .Where(handle => handle.Kind == HandleKind.TypeReference)
            .Select(handle => FullName(metadata, (TypeReferenceHandle)handle));
        return new BuiltAssembly(
            project,
            references.Where(name => name == "dragoman" || name.StartsWith("Dragoman.", StringComparison.Ordinal)).ToHashSet(StringComparer.Ordinal),
            types.ToHashSet(StringComparer.Ordinal),
            interfaces.ToHashSet(StringComparer.Ordinal));
    }

    private static string AssemblyName(string project) =>
        XDocument.Load(Repository.ProjectFile(project)).Descendants("AssemblyName").SingleOrDefault()?.Value ?? project;

    private static string FullName(MetadataReader metadata, TypeReferenceHandle handle)
    {
        var type = metadata.GetTypeReference(handle);
        return $"{metadata.GetString(type.Namespace)}.{metadata.GetString(type.Name)}";
    }
}
