using System.Text.Json;
using Dragoman.Broker.Notifications;

namespace Dragoman.Aws.Sns;

/// <summary>What is recorded of an application that sends to devices, or of a device.</summary>
/// <param name="Arn">Its resource name.</param>
/// <param name="Attributes">Its attributes.</param>
internal sealed record PlatformEntry(string Arn, SortedDictionary<string, string> Attributes);

/// <summary>Applications and devices, which are recorded and reached by nothing: settings of the notifications' state.</summary>
internal static class PlatformStore
{
    private const string Applications = "sns-application:";
    private const string Endpoints = "sns-endpoint:";

    public static PlatformEntry? FindApplication(INotifications notifications, string arn) => Find(notifications, Applications + arn);

    public static PlatformEntry? FindEndpoint(INotifications notifications, string arn) => Find(notifications, Endpoints + arn);

    public static IReadOnlyList<PlatformEntry> ListApplications(INotifications notifications) => List(notifications, Applications);

    /// <summary>The devices of an application.</summary>
    public static IReadOnlyList<PlatformEntry> ListEndpoints(INotifications notifications, string application)
    {
        var mark = application.IndexOf(":app/", StringComparison.Ordinal);
        return mark < 0 ? [] : List(notifications, $"{Endpoints}{application[..mark]}:endpoint/{application[(mark + 5)..]}/");
    }

    public static ValueTask<NotificationStatus> PutApplicationAsync(INotifications notifications, PlatformEntry entry, CancellationToken cancellation) => PutAsync(notifications, Applications, entry, cancellation);

    public static ValueTask<NotificationStatus> PutEndpointAsync(INotifications notifications, PlatformEntry entry, CancellationToken cancellation) => PutAsync(notifications, Endpoints, entry, cancellation);

    public static async ValueTask RemoveApplicationAsync(INotifications notifications, string arn, CancellationToken cancellation)
    {
        foreach (var endpoint in ListEndpoints(notifications, arn)) await RemoveEndpointAsync(notifications, endpoint.Arn, cancellation);
        await notifications.ChangeSettingAsync(Applications + arn, static _ => null, cancellation: cancellation);
    }

    public static async ValueTask RemoveEndpointAsync(INotifications notifications, string arn, CancellationToken cancellation) =>
        await notifications.ChangeSettingAsync(Endpoints + arn, static _ => null, cancellation: cancellation);

    private static PlatformEntry? Find(INotifications notifications, string name) =>
        notifications.GetSetting(name) is { } kept ? JsonSerializer.Deserialize<PlatformEntry>(kept.Span) : null;

    private static List<PlatformEntry> List(INotifications notifications, string prefix) =>
        [.. notifications.ListSettings(prefix).Select(name => Find(notifications, name)).Where(static e => e is not null).Select(static e => e!)];

    private static ValueTask<NotificationStatus> PutAsync(INotifications notifications, string prefix, PlatformEntry entry, CancellationToken cancellation)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(entry);
        return notifications.ChangeSettingAsync(prefix + entry.Arn, _ => bytes, bytes.Length, cancellation);
    }
}
