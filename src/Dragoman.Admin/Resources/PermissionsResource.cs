using Dragoman.Admin.Http;
using Dragoman.Admin.Model;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Security;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.Resources;

/// <summary><c>/_dragoman/v1/permissions</c>: who may do what.</summary>
internal sealed class PermissionsResource(AdminNode node)
{
    private IAccounts Accounts => node.Broker.Accounts;

    /// <summary>List, add and remove.</summary>
    public async Task HandleAsync(HttpContext context)
    {
        var method = context.Request.Method;
        if (HttpMethods.IsGet(method) || HttpMethods.IsHead(method))
        {
            var user = context.Request.Query["user"].ToString();
            var picked = Accounts.Permissions.Where(p => user.Length == 0 || p.User == user);
            await Json.WriteAsync(context, new PermissionList([.. picked.Select(Describe)]), AdminJson.Default.PermissionList);
        }
        else if (HttpMethods.IsPost(method))
        {
            var permission = Read(await Json.ReadAsync(context, AdminJson.Default.PermissionModel));
            UsersResource.Succeeded(await Accounts.AddPermissionsAsync([permission]));
            await Json.WriteAsync(context, Describe(permission), AdminJson.Default.PermissionModel, StatusCodes.Status201Created);
        }
        else if (HttpMethods.IsDelete(method))
        {
            var permission = Read(await Json.ReadAsync(context, AdminJson.Default.PermissionModel));
            var (answer, _) = await Accounts.RemovePermissionsAsync(permission.Equals);
            UsersResource.Succeeded(answer);
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
        else
        {
            throw RequestPath.NotAllowed(context, "GET, HEAD, POST, DELETE");
        }
    }

    private static PermissionModel Describe(Permission permission) => new(
        permission.User, Camel(permission.Kind.ToString()), permission.Pattern.Text, [.. Split(permission.Operations)], Camel(permission.Pattern.Kind.ToString()),
        permission.Namespace?.ToString(), Camel(permission.Effect.ToString()), permission.Host == Permission.AnyHost ? null : permission.Host);

    private static IEnumerable<string> Split(Operations operations)
    {
        if (operations == Operations.All)
        {
            yield return "all";
            yield break;
        }
        for (var bit = 1; bit <= (int)Operations.All; bit <<= 1)
            if (((int)operations & bit) != 0) yield return Camel(((Operations)bit).ToString());
    }

    private static Permission Read(PermissionModel model)
    {
        NamespaceName? ns = null;
        if (model.Namespace is { } text && !NamespaceName.TryParse(text, out ns)) throw ProblemException.BadRequest($"'{text}' is not a namespace; it should look like {NamespaceName.Default}.");
        var operations = Operations.None;
        foreach (var operation in model.Operations) operations |= Parse<Operations>(operation, "operation");
        if (operations == Operations.None) throw ProblemException.BadRequest("A permission names at least one operation.");
        if (model.User.Length == 0) throw ProblemException.BadRequest("A permission names a user, or * for everybody.");
        return new Permission(
            model.User, ns, Parse<ResourceKind>(model.Resource, "kind of resource"), ReadPattern(model), operations,
            model.Effect is null ? Effect.Allow : Parse<Effect>(model.Effect, "effect"), model.Host ?? Permission.AnyHost);
    }

    private static NamePattern ReadPattern(PermissionModel model)
    {
        try
        {
            return new NamePattern(model.PatternType is null ? PatternKind.Literal : Parse<PatternKind>(model.PatternType, "type of pattern"), model.Pattern);
        }
        catch (ArgumentException error)
        {
            throw ProblemException.BadRequest($"'{model.Pattern}' is no pattern: {error.Message}");
        }
    }

    private static T Parse<T>(string text, string what)
        where T : struct, Enum =>
        !char.IsAsciiDigit(text.FirstOrDefault()) && Enum.TryParse<T>(text.Replace("-", "", StringComparison.Ordinal), ignoreCase: true, out var value)
            ? value
            : throw ProblemException.BadRequest($"There is no {what} '{text}'.");

    private static string Camel(string name) => char.ToLowerInvariant(name[0]) + name[1..];
}
