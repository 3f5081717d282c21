using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Kafka;
using Dragoman.Clients.Tests.Reporting;
using Dragoman.TestKit;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Dragoman.Clients.Tests.Amqp;

/// <summary>Users, what they may do, and the ways in which they log in.</summary>
[Uses<RabbitMqClient>]
public sealed class RabbitMqClientAccessTests(SecureBroker broker) : IClassFixture<SecureBroker>
{
    private int Port => broker.Server.Port("amqp");

    [Fact, Rows("R34")]
    public async Task Permissions_by_pattern_hold_for_configuring_writing_and_reading()
    {
        await UserAsync("app", "secret-app");
        await GrantAsync("app", "configure,write,read", "any", "^app-.*", "--type", "regex");
        await GrantAsync("app", "read", "topic", "amq.topic");
        await using var connection = await RabbitMqClient.ConnectAsync(Port, configure: f => (f.UserName, f.Password) = ("app", "secret-app"));
        await using (var channel = await RabbitMqClient.ConfirmingAsync(connection))
        {
            await channel.QueueDeclareAsync("app-q", durable: true, exclusive: false, autoDelete: false);
            await channel.ExchangeDeclareAsync("app-x", ExchangeType.Fanout, durable: true);
            await channel.QueueBindAsync("app-q", "app-x", "");
            await channel.QueueBindAsync("app-q", "amq.topic", "a.#");
            await channel.BasicPublishAsync("app-x", "", mandatory: true, "allowed"u8.ToArray());
            Assert.Equal("allowed", Encoding.UTF8.GetString((await channel.BasicGetAsync("app-q", autoAck: true))!.Body.Span));
        }
        Assert.Equal("ACCESS_REFUSED - configure access to queue 'other' in vhost '/' refused for user 'app'", await RefusedAsync(c => c.QueueDeclareAsync("other", durable: true, exclusive: false, autoDelete: false)));
        Assert.Equal("ACCESS_REFUSED - configure access to exchange 'other' in vhost '/' refused for user 'app'", await RefusedAsync(c => c.ExchangeDeclareAsync("other", ExchangeType.Direct)));
        Assert.Equal("ACCESS_REFUSED - read access to exchange 'amq.fanout' in vhost '/' refused for user 'app'", await RefusedAsync(c => c.QueueBindAsync("app-q", "amq.fanout", "")));
        await using (var admin = await RabbitMqClient.ConnectAsync(Port, configure: f => (f.UserName, f.Password) = ("ann", "secret-a")))
        await using (var channel = await admin.CreateChannelAsync())
            await channel.QueueDeclareAsync("closed", durable: true, exclusive: false, autoDelete: false);
        Assert.Equal("ACCESS_REFUSED - read access to queue 'closed' in vhost '/' refused for user 'app'", await RefusedAsync(c => c.BasicGetAsync("closed", autoAck: true)));
        Assert.Equal("ACCESS_REFUSED - write access to exchange 'amq.topic' in vhost '/' refused for user 'app'", await RefusedAsync(c => c.BasicPublishAsync("amq.topic", "a.b", "x"u8.ToArray()).AsTask()));
        Assert.True(connection.IsOpen);

        async Task<string> RefusedAsync(Func<IChannel, Task> action)
        {
            await using var channel = await RabbitMqClient.ConfirmingAsync(connection);
            await Assert.ThrowsAnyAsync<Exception>(() => action(channel));
            await Eventually.TrueAsync(() => channel.CloseReason is not null, "the channel is closed");
            Assert.Equal(403, channel.CloseReason!.ReplyCode);
            return channel.CloseReason.ReplyText;
        }
    }

    [Fact, Rows("R5", "R34")]
    public async Task A_virtual_host_that_is_not_there_or_not_allowed_is_refused()
    {
        await UserAsync("outsider", "secret-o");
        // This client learns of it only after it has come in.
        Assert.Equal("NOT_ALLOWED - vhost nowhere not found", await ThrownOutAsync(f => (f.UserName, f.Password, f.VirtualHost) = ("ann", "secret-a", "nowhere")));
        Assert.Equal("NOT_ALLOWED - access to vhost '/' refused for user 'outsider'", await ThrownOutAsync(f => (f.UserName, f.Password) = ("outsider", "secret-o")));
        var error = await Assert.ThrowsAsync<BrokerUnreachableException>(() => RabbitMqClient.ConnectAsync(Port, configure: f => (f.UserName, f.Password) = ("ann", "wrong")));
        Assert.Contains("ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN.", error.ToString(), StringComparison.Ordinal);

        async Task<string> ThrownOutAsync(Action<ConnectionFactory> configure)
        {
            await using var connection = await RabbitMqClient.ConnectAsync(Port, configure: configure);
            await Eventually.TrueAsync(() => connection.CloseReason is not null, "the connection is closed");
            Assert.Equal(530, connection.CloseReason!.ReplyCode);
            return connection.CloseReason.ReplyText;
        }
    }

    [Fact, Rows("R1")]
    public async Task A_client_certificate_logs_in_over_tls_on_the_same_port()
    {
        await UserAsync("bob", null);
        await GrantAsync("bob", "configure,write,read", "any", "*");
        await using var connection = await RabbitMqClient.ConnectAsync(Port, configure: f =>
        {
            f.AuthMechanisms = [new ExternalMechanismFactory()];
            f.Ssl = new SslOption("localhost")
            {
                Enabled = true,
                Certs = [X509Certificate2.CreateFromPemFile(broker.File("bob.pem"), broker.File("bob.key"))],
                // The authority is the tests' own.
                AcceptablePolicyErrors = SslPolicyErrors.RemoteCertificateChainErrors,
            };
        });
        await using var channel = await connection.CreateChannelAsync();
        var queue = (await channel.QueueDeclareAsync()).QueueName;
        await channel.BasicPublishAsync("", queue, mandatory: true, new BasicProperties { UserId = "bob" }, "signed"u8.ToArray());
        await Eventually.TrueAsync(async () => await channel.BasicGetAsync(queue, autoAck: true) is not null, "the message is there");
    }

    private Task<ProcessResult> AsAnnAsync(byte[]? input, string[] arguments) => ForeignProcess.RunAsync(
        Executable.Built, arguments, input, null,
        new Dictionary<string, string?> { ["DRAGOMAN_SERVER"] = $"http://{broker.Server.Address("admin")}", ["DRAGOMAN_USER"] = "ann", ["DRAGOMAN_PASSWORD"] = "secret-a" });

    private async Task UserAsync(string name, string? password)
    {
        string[] how = password is null ? ["--no-password"] : ["--password-stdin"];
        var result = await AsAnnAsync(password is null ? null : Encoding.UTF8.GetBytes($"{password}\n"), ["user", "create", name, .. how]);
        if (result.ExitCode != 0) Assert.Contains("already", result.Error, StringComparison.OrdinalIgnoreCase);
    }

    private async Task GrantAsync(params string[] arguments) => (await AsAnnAsync(null, ["permission", "grant", .. arguments])).Succeeded();
}
