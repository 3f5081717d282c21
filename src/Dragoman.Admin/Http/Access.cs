using System.Text;
using Dragoman.Broker.Security;
using Dragoman.Protocols.Authentication;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.Http;

/// <summary>Who sent a request, and whether they may.</summary>
internal static class Access
{
    private const string MonitoringTag = "monitoring";
    private const string ManagementTag = "management";
    private const string Basic = "Basic ";
    private const string Bearer = "Bearer ";

    /// <summary>Finds out who sent a request: by name and password, token, certificate or not at all.</summary>
    /// <exception cref="ProblemException">The credentials are nobody's, or there are none and somebody has to log in.</exception>
    public static async ValueTask<ClientIdentity> IdentifyAsync(HttpContext context, Authenticator authenticator)
    {
        var host = context.Connection.RemoteIpAddress?.ToString() ?? "unknown";
        var header = context.Request.Headers.Authorization.ToString();
        // Without users there is nothing to check against, and everybody may do everything.
        if (!authenticator.Accounts.IsEnabled) return authenticator.Anonymous(host);
        if (header.StartsWith(Basic, StringComparison.OrdinalIgnoreCase)) return CheckBasic(header[Basic.Length..], authenticator, host) ?? throw Refuse(context, "The name or the password is not right.");
        if (header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)) return authenticator.CheckToken(header[Bearer.Length..].Trim(), host, out _) ?? throw Refuse(context, "The token is not accepted.");
        if (authenticator.FromCertificate(await context.Connection.GetClientCertificateAsync(context.RequestAborted), host) is { } identity) return identity;
        return authenticator.RequiresLogin ? throw Refuse(context, "Log in with a user's name and password, or a token.") : authenticator.Anonymous(host);
    }

    /// <summary>Refuses who is no administrator.</summary>
    /// <exception cref="ProblemException">The client is none.</exception>
    public static void RequireAdministrator(ClientIdentity identity, IAccounts accounts)
    {
        if (accounts.IsEnabled && !(identity.User is { } name && accounts.Find(name) is { IsAdministrator: true })) throw Forbidden("Only administrators may do this.");
    }

    /// <summary>Refuses who may not look around.</summary>
    /// <exception cref="ProblemException">The client is neither an administrator nor has a tag that lets it.</exception>
    public static void RequireViewer(ClientIdentity identity, IAccounts accounts)
    {
        if (accounts.IsEnabled && !(identity.User is { } name && accounts.Find(name) is { } user && (user.IsAdministrator || user.Tags.Contains(MonitoringTag) || user.Tags.Contains(ManagementTag))))
            throw Forbidden($"Only administrators, and users with the tag '{MonitoringTag}' or '{ManagementTag}', may see this.");
    }

    /// <summary>The refusal of something that is not permitted.</summary>
    public static ProblemException Forbidden(string detail) => new(StatusCodes.Status403Forbidden, "Forbidden", detail);

    private static ClientIdentity? CheckBasic(string encoded, Authenticator authenticator, string host)
    {
        var bytes = new byte[encoded.Length];
        if (!Convert.TryFromBase64String(encoded.Trim(), bytes, out var length)) return null;
        var text = Encoding.UTF8.GetString(bytes, 0, length);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? null : authenticator.CheckPassword(text[..colon], text[(colon + 1)..], host);
    }

    private static ProblemException Refuse(HttpContext context, string detail)
    {
        context.Response.Headers.WWWAuthenticate = "Basic realm=\"Dragoman\", charset=\"UTF-8\"";
        return new ProblemException(StatusCodes.Status401Unauthorized, "Unauthorized", detail);
    }
}
