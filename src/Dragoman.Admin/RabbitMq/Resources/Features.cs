using System.Text.Json.Nodes;
using Dragoman.Admin.RabbitMq.Http;

namespace Dragoman.Admin.RabbitMq.Resources;

/// <summary>
/// <c>/api/feature-flags</c>, <c>/api/deprecated-features</c> and <c>/api/extensions</c>: what the broker can do. Frameworks refuse to
/// work with one that lacks <c>stream_queue</c> or <c>quorum_queue</c>. These are the flags of RabbitMQ whose behaviour is here.
/// </summary>
internal sealed class Features : IResource
{
    private static readonly (string Name, string Description)[] Flags =
    [
        ("direct_exchange_routing_v2", "Direct exchanges find their bindings by routing key"),
        ("drop_unroutable_metric", "Publishes that go nowhere are counted"),
        ("empty_basic_get_metric", "Gets from empty queues are counted"),
        ("implicit_default_bindings", "Queues are bound to the default exchange without a binding that is kept"),
        ("listener_records_in_ets", "Listeners are told of"),
        ("message_containers", "Messages are kept in one form for all protocols"),
        ("quorum_queue", "Queues of type quorum"),
        ("rabbitmq_4.0.0", "Quorum queues give up after 20 deliveries unless they are told another number"),
        ("restart_streams", "Streams go on after a restart"),
        ("stream_filtering", "Consumers of streams name the messages that they want"),
        ("stream_queue", "Queues of type stream"),
        ("stream_single_active_consumer", "One consumer of several gets messages at a time"),
        ("tracking_records_in_ets", "Connections are tracked"),
        ("user_limits", "Users have limits"),
        ("virtual_host_metadata", "Virtual hosts have descriptions and tags"),
    ];

    public void Map(EndpointTable table)
    {
        table.Map("/feature-flags").Get(ListAsync, Access.Management);
        table.Map("/feature-flags/:name/enable").Put(EnableAsync, Access.Administrator);
        table.Map("/deprecated-features").Get(NoneAsync);
        table.Map("/deprecated-features/used").Get(NoneAsync);
        table.Map("/extensions").Get(NoneAsync);
    }

    private static Task ListAsync(ApiRequest request) => request.WriteListAsync([.. Flags.Select(static flag => ListEntry.Of(new JsonObject
    {
        ["name"] = flag.Name,
        ["desc"] = flag.Description,
        ["doc_url"] = "",
        ["state"] = "enabled",
        ["stability"] = "stable",
        ["provided_by"] = "dragoman",
    }))]);

    /// <summary>All that are there are enabled.</summary>
    private static Task EnableAsync(ApiRequest request)
    {
        if (!Array.Exists(Flags, flag => flag.Name == request["name"])) throw ManagementException.BadRequest("unsupported");
        return request.NoContent();
    }

    private static Task NoneAsync(ApiRequest request) => request.WriteAsync(new JsonArray());
}
