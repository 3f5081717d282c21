using Dragoman.Admin.Http;
using Dragoman.Admin.Model;
using Dragoman.Broker.Namespaces;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.Resources;

/// <summary><c>/_dragoman/v1/namespaces</c>: what AMQP calls virtual hosts.</summary>
internal sealed class NamespacesResource(AdminNode node)
{
    private INamespaces Namespaces => node.Broker.Namespaces;

    /// <summary>The collection: list and create.</summary>
    public async Task HandleAllAsync(HttpContext context)
    {
        var method = context.Request.Method;
        if (HttpMethods.IsGet(method) || HttpMethods.IsHead(method))
        {
            await Json.WriteAsync(context, new NamespaceList([.. Namespaces.List().Select(ToModel)]), AdminJson.Default.NamespaceList);
        }
        else if (HttpMethods.IsPost(method))
        {
            var request = await Json.ReadAsync(context, AdminJson.Default.NamespaceModel);
            if (request.CreatedAt is not null) throw ProblemException.BadRequest("When a namespace is created is not for the request to say.");
            var name = Parse(request.Name);
            var answer = await Namespaces.CreateAsync(name, request.Description ?? "", context.RequestAborted);
            if (answer.Status == NamespaceStatus.AlreadyExists) throw new ProblemException(StatusCodes.Status409Conflict, "Conflict", $"Namespace '{name}' is there already.");
            Succeeded(answer, name);
            context.Response.Headers.Location = $"/_dragoman/v1/namespaces/{Uri.EscapeDataString(request.Name)}";
            await Json.WriteAsync(context, Find(name), AdminJson.Default.NamespaceModel, StatusCodes.Status201Created);
        }
        else
        {
            throw RequestPath.NotAllowed(context, "GET, HEAD, POST");
        }
    }

    /// <summary>One namespace: describe and delete.</summary>
    public async Task HandleOneAsync(HttpContext context, string text)
    {
        var method = context.Request.Method;
        var name = Parse(text);
        if (HttpMethods.IsGet(method) || HttpMethods.IsHead(method))
        {
            await Json.WriteAsync(context, Find(name), AdminJson.Default.NamespaceModel);
        }
        else if (HttpMethods.IsDelete(method))
        {
            Succeeded(await Namespaces.DeleteAsync(name, context.RequestAborted), name);
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
        else
        {
            throw RequestPath.NotAllowed(context, "GET, HEAD, DELETE");
        }
    }

    /// <summary>Refuses what would be made in a namespace that is not there, where AMQP clients could not reach it.</summary>
    /// <exception cref="ProblemException">There is no such namespace.</exception>
    public static void Require(AdminNode node, NamespaceName name)
    {
        if (!node.Broker.Namespaces.Exists(name)) throw ProblemException.NotFound($"There is no namespace '{name}'. Create it first.");
    }

    private NamespaceModel Find(NamespaceName name) =>
        ToModel(Namespaces.List().FirstOrDefault(n => n.Name == name) ?? throw ProblemException.NotFound($"There is no namespace '{name}'."));

    private static NamespaceName Parse(string text) =>
        NamespaceName.TryParse(text, out var name) ? name : throw ProblemException.BadRequest($"'{text}' is not a namespace; it should look like {NamespaceName.Default}.");

    private static NamespaceModel ToModel(NamespaceEntry entry) =>
        new(entry.Name.ToString(), entry.Description.Length == 0 ? null : entry.Description, entry.Name == NamespaceName.Default ? null : entry.CreatedAt);

    private static void Succeeded(in NamespaceAnswer answer, NamespaceName name)
    {
        if (answer.Status == NamespaceStatus.Ok) return;
        throw answer.Status switch
        {
            NamespaceStatus.NotFound => ProblemException.NotFound($"There is no namespace '{name}'."),
            NamespaceStatus.Invalid => ProblemException.BadRequest(answer.Message ?? $"'{name}' is not a name for a namespace."),
            NamespaceStatus.Full => new ProblemException(StatusCodes.Status507InsufficientStorage, "Disk full", answer.Message ?? "There is no room on disk."),
            NamespaceStatus.StorageError => new ProblemException(StatusCodes.Status503ServiceUnavailable, "Not available", answer.Message ?? "The disk failed."),
            _ => new ProblemException(StatusCodes.Status409Conflict, "In use", answer.Message ?? $"The change of namespace '{name}' was refused: {answer.Status}."),
        };
    }
}
