using System.Text;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Security;
using Dragoman.Protocols.Authentication;
using Dragoman.Protocols.RabbitMq;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Admin.RabbitMq.Http;

/// <summary>What the user of a request has to be.</summary>
internal enum Access
{
    /// <summary>Nobody in particular: who asks is not asked.</summary>
    Anyone,

    /// <summary>One with a tag that opens the API; who names a virtual host has to be let into it.</summary>
    Management,

    /// <summary>As <see cref="Management"/>, but a virtual host is shown to those who watch all of them, too.</summary>
    Visible,

    /// <summary>One that manages policies and parameters.</summary>
    Policies,

    /// <summary>One that watches the whole node.</summary>
    Monitoring,

    /// <summary>One that may do everything.</summary>
    Administrator,
}

/// <summary>Who sent a request, by RabbitMQ's user tags (rabbitmq.com, "Management Plugin", "Access and Permissions").</summary>
/// <param name="Identity">Who the client is to the core.</param>
/// <param name="Name">The name that it goes by.</param>
/// <param name="Tags">The user's tags.</param>
/// <param name="Accounts">The users and permissions.</param>
internal sealed record Caller(ClientIdentity Identity, string Name, IReadOnlyList<string> Tags, IAccounts Accounts)
{
    private const string Basic = "Basic ";
    private const string Bearer = "Bearer ";
    private const string Nobody = "guest";

    /// <summary>Whether the user may do everything.</summary>
    public bool IsAdministrator => Tags.Contains(User.AdministratorTag);

    /// <summary>Whether the user watches the whole node.</summary>
    public bool IsMonitor => IsAdministrator || Tags.Contains("monitoring");

    /// <summary>Whether the user manages policies.</summary>
    public bool IsPolicyMaker => IsAdministrator || Tags.Contains("policymaker");

    /// <summary>Whether the user may use the API at all.</summary>
    public bool IsManagement => IsMonitor || IsPolicyMaker || Tags.Contains("management");

    /// <summary>Whether the user may use a virtual host.</summary>
    public bool MayEnter(NamespaceName space) => IsAdministrator || VirtualHosts.MayEnter(Accounts, Identity.User, space);

    /// <summary>Whether a virtual host is in what the user is shown.</summary>
    public bool Sees(NamespaceName space) => IsMonitor || MayEnter(space);

    /// <summary>Whoever it is, without any right.</summary>
    public static Caller Anyone(HttpContext context, Authenticator authenticator) =>
        new(authenticator.Anonymous(context.Connection.RemoteIpAddress?.ToString() ?? "unknown"), Nobody, [], authenticator.Accounts);

    /// <summary>Finds out who sent a request.</summary>
    /// <exception cref="ManagementException">Nobody who may.</exception>
    public static async ValueTask<Caller> IdentifyAsync(HttpContext context, Authenticator authenticator)
    {
        var host = context.Connection.RemoteIpAddress?.ToString() ?? "unknown";
        var accounts = authenticator.Accounts;
        var header = context.Request.Headers.Authorization.ToString();
        var credentials = Decode(header);
        // Without users there is nothing to check against, and everybody may do everything.
        if (!accounts.IsEnabled) return new Caller(authenticator.Anonymous(host), credentials?.Name is { Length: > 0 } name ? name : Nobody, [User.AdministratorTag], accounts);
        ClientIdentity? identity;
        if (credentials is { } given) identity = authenticator.CheckPassword(given.Name, given.Password, host) ?? authenticator.CheckToken(given.Password, host, out _);
        else if (header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)) identity = authenticator.CheckToken(header[Bearer.Length..].Trim(), host, out _);
        else if (header.Length > 0) identity = null;
        else identity = authenticator.FromCertificate(await context.Connection.GetClientCertificateAsync(context.RequestAborted), host) ?? throw new ManagementException(StatusCodes.Status401Unauthorized, "", "");
        if (header.Length > 0) authenticator.Attempts.Count("http", identity?.User is not null);
        if (identity?.User is not { } user) throw new ManagementException(StatusCodes.Status401Unauthorized, "not_authorized", "Login failed");
        var caller = new Caller(identity, user, accounts.Find(user)?.Tags ?? [], accounts);
        return caller.IsManagement ? caller : throw ManagementException.NotAuthorised("Not management user");
    }

    /// <summary>Refuses who may not.</summary>
    /// <exception cref="ManagementException">The user may not.</exception>
    public void Require(Access access)
    {
        switch (access)
        {
            case Access.Policies when !IsPolicyMaker:
                throw ManagementException.NotAuthorised("User not authorised to access object");
            case Access.Monitoring when !IsMonitor:
                throw ManagementException.NotAuthorised("Not monitor user");
            case Access.Administrator when !IsAdministrator:
                throw ManagementException.NotAuthorised("Not administrator user");
            default:
                break;
        }
    }

    private static (string Name, string Password)? Decode(string header)
    {
        if (!header.StartsWith(Basic, StringComparison.OrdinalIgnoreCase)) return null;
        var bytes = new byte[header.Length];
        if (!Convert.TryFromBase64String(header[Basic.Length..].Trim(), bytes, out var length)) return null;
        var text = Encoding.UTF8.GetString(bytes, 0, length);
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? null : (text[..colon], text[(colon + 1)..]);
    }
}
