using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Interop;

/// <summary>The example of the document, as somebody pastes it who has just started the broker.</summary>
[Uses<Kcat>, Uses<AmqpTools>, Uses<Pika>]
public sealed class ExampleTests(SharedBroker broker) : IClassFixture<SharedBroker>
{
    [Fact]
    public async Task The_example_prints_what_the_document_says()
    {
        var code = InteropDocument.Code("An example");
        Assert.Equal(2, code.Count);
        var script = code[0].Replace("localhost:9092", broker.Kafka, StringComparison.Ordinal).Replace("localhost:5672", broker.Server.Address("amqp"), StringComparison.Ordinal)
            .Replace("\npython3 ", $"\n{Scripts.Python} ", StringComparison.Ordinal);
        Assert.Equal(code[1], (await ForeignProcess.RunAsync("bash", ["-e", "-u", "-o", "pipefail", "-c", script])).Succeeded().Output);
    }
}
