using System.Text.Json;
using Dragoman.Links.Definitions;
using Dragoman.Protocols.RabbitMq;

namespace Dragoman.Links.Tests.Definitions;

/// <summary>What parameters may say, and what is answered to those that say something else.</summary>
public sealed class DefinitionTests
{
    private static List<string> Problems(string json)
    {
        var problems = new List<string>();
        using var value = JsonDocument.Parse(json);
        var definition = ShovelDefinition.Read("s", value.RootElement, problems);
        Assert.Equal(problems.Count == 0, definition is not null);
        return problems;
    }

    [Theory]
    [InlineData("amqp://", true, null, "amqp://")]
    [InlineData("amqp:///vh", true, "vh", "amqp:///vh")]
    [InlineData("amqp://user@/vh", true, "vh", "amqp:///vh")]
    [InlineData("amqp://u:p%40ss@host:1234/%2F?heartbeat=5", false, "/", "amqp://host:1234/%2F")]
    [InlineData("amqps://[::1]/a%20b", false, "a b", "amqps://[::1]/a%20b")]
    public void An_address_says_which_broker_and_never_shows_its_password(string text, bool isLocal, string? virtualHost, string shown)
    {
        var uri = AmqpUri.Parse(text, out var problem);
        Assert.Null(problem);
        Assert.Equal((isLocal, virtualHost, shown), (uri!.IsLocal, uri.VirtualHost, uri.Shown));
    }

    [Fact]
    public void A_shovel_says_which_virtual_hosts_of_this_broker_it_reaches()
    {
        using var value = JsonDocument.Parse("""{"src-uri":"amqp:///a","src-queue":"q","dest-uri":"amqp://elsewhere/b"}""");
        Assert.Equal(["a"], ShovelDefinition.Read("s", value.RootElement, [])!.LocalSpaces.Select(VirtualHosts.FromNamespace));
        using var both = JsonDocument.Parse("""{"src-uri":"amqp:///a","src-queue":"q","dest-uri":"amqp://"}""");
        Assert.Equal(["a", "/"], ShovelDefinition.Read("s", both.RootElement, [])!.LocalSpaces.Select(VirtualHosts.FromNamespace));
    }

    [Fact]
    public void An_address_has_all_that_a_connection_needs()
    {
        var factory = AmqpUri.Parse("amqp://u:p%40ss@host:1234/vh?heartbeat=5&connection_timeout=700", out _)!.ToFactory("name");
        Assert.Equal(("host", 1234, "u", "p@ss", "vh", "name"), (factory.HostName, factory.Port, factory.UserName, factory.Password, factory.VirtualHost, factory.ClientProvidedName));
        Assert.Equal((TimeSpan.FromSeconds(5), TimeSpan.FromMilliseconds(700)), (factory.RequestedHeartbeat, factory.RequestedConnectionTimeout));
    }

    [Theory]
    [InlineData("""{"src-uri":"amqp://","src-queue":"a","dest-uri":"amqp://"}""")]
    [InlineData("""{"src-protocol":"amqp091","src-uri":["amqp://h1","amqp://h2"],"src-exchange":"x","src-exchange-key":"k","dest-protocol":"amqp091","dest-uri":"amqp://","dest-queue":"q","dest-queue-args":{"x-queue-type":"quorum"},"ack-mode":"on-publish","src-delete-after":5,"src-prefetch-count":10,"dest-publish-properties":{"delivery_mode":2},"dest-add-forward-headers":true,"dest-add-timestamp-header":false,"reconnect-delay":1,"src-consumer-args":{"x-priority":5}}""")]
    [InlineData("""{"src-uri":"amqp://","src-queue":"a","dest-uri":"amqp://","delete-after":"queue-length","prefetch-count":1,"add-forward-headers":true,"publish-properties":{}}""")]
    public void RabbitMqs_shovels_are_understood(string json) => Assert.Empty(Problems(json));

    [Theory]
    [InlineData("""{"src-queue":"a","dest-uri":"amqp://"}""", "Key \"src-uri\" not found in s")]
    [InlineData("""{"src-uri":"amqp://","dest-uri":"amqp://"}""", "Must specify 'src-exchange' or 'src-queue'")]
    [InlineData("""{"src-uri":"amqp://","src-queue":"a","src-exchange":"b","dest-uri":"amqp://"}""", "Cannot specify 'src-exchange' and 'src-queue'")]
    [InlineData("""{"src-uri":"amqp://","src-queue":"a","dest-uri":"amqp://","dest-queue":"q","dest-exchange":"x"}""", "Cannot specify 'dest-exchange' and 'dest-queue'")]
    [InlineData("""{"src-uri":"http://","src-queue":"a","dest-uri":"amqp://"}""", "\"http://\" not a valid URI: {unexpected_uri_scheme,\"http\"}")]
    [InlineData("""{"src-uri":"amqp://","src-queue":5,"dest-uri":"amqp://"}""", "src-queue should be binary, actually was 5")]
    [InlineData("""{"src-uri":"amqp://","src-queue":"a","dest-uri":"amqp://","ack-mode":"x"}""", "ack-mode should be one of [<<\"no-ack\">>,<<\"on-publish\">>,<<\"on-confirm\">>], actually was <<\"x\">>")]
    [InlineData("""{"src-uri":"amqp://","src-queue":"a","dest-uri":"amqp://","nonsense":1}""", "Unrecognised terms [{<<\"nonsense\">>,1}] in s")]
    [InlineData("""{"src-uri":"amqp://","src-queue":"a","dest-uri":"amqp://","reconnect-delay":"x"}""", "reconnect-delay should be a number, actually was <<\"x\">>")]
    [InlineData("""{"src-uri":"amqp://","src-queue":"a","dest-uri":"amqp://","src-delete-after":5,"ack-mode":"no-ack"}""", "Cannot specify 'no-ack' and numerical 'delete-after'")]
    [InlineData("""{"src-uri":"amqp://","src-queue":"a","dest-uri":"amqp://","src-protocol":"amqp10"}""", "src-protocol amqp10 is not supported: links speak AMQP 0-9-1")]
    public void What_is_wrong_is_said_as_RabbitMq_says_it(string json, string problem) => Assert.Contains(problem, Problems(json));
}
