using Dragoman.Clients.Tests.Clients;
using Dragoman.Clients.Tests.Reporting;

namespace Dragoman.Clients.Tests.Amqp;

/// <summary>A Celery application: its worker, and a client that waits for results over rpc://.</summary>
[Uses<CeleryApplication>]
public sealed class CeleryTests(CeleryTests.Running running) : IClassFixture<CeleryTests.Running>
{
    [Fact, Rows("R3", "R8", "R10", "R11")]
    public Task Chains_and_groups() => running.Application.RunAsync("chains");

    [Fact, Rows("R8")]
    public Task Tasks_that_fail_are_tried_again() => running.Application.RunAsync("retries");

    [Fact, Rows("R3", "R11")]
    public Task Tasks_that_are_due_later_do_not_hold_up_others() => running.Application.RunAsync("eta");

    [Fact, Rows("R6", "R20")]
    public Task Tasks_are_revoked() => running.Application.RunAsync("revoke");

    [Fact, Rows("R6", "R20")]
    public Task Workers_answer_questions() => running.Application.RunAsync("control");

    /// <summary>A broker and a worker for all tests of the class.</summary>
    public sealed class Running : IAsyncLifetime
    {
        private readonly SharedBroker _broker = new();

        internal CeleryApplication Application { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            await _broker.InitializeAsync();
            Application = await CeleryApplication.StartAsync(_broker.Server.Port("amqp"));
        }

        public async ValueTask DisposeAsync()
        {
            if (Application is not null) await Application.DisposeAsync();
            await _broker.DisposeAsync();
        }
    }
}
