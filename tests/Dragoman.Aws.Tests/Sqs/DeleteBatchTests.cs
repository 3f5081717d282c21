namespace Dragoman.Aws.Tests.Sqs;

/// <summary>Deletions of several messages at once, each of which succeeds or fails by itself.</summary>
public sealed class DeleteBatchTests : IAsyncLifetime
{
    private SqsServer _sqs = null!;

    public async ValueTask InitializeAsync() => _sqs = await SqsServer.StartAsync();

    public ValueTask DisposeAsync() => _sqs.DisposeAsync();

    [Fact]
    [Trait("Row", "Q12")]
    public async Task A_standard_queue_takes_any_handle_of_its_own_and_deletes_by_the_newest_only()
    {
        var url = await _sqs.CreateAsync("standard");
        var other = await _sqs.CreateAsync("other");
        await _sqs.AskAsync("SendMessage", new { QueueUrl = other, MessageBody = "a" });
        var foreign = (await _sqs.ReceiveAsync(other))[0].Handle;
        for (var i = 0; i < 3; i++) await _sqs.AskAsync("SendMessage", new { QueueUrl = url, MessageBody = $"{i}" });
        var first = await _sqs.ReceiveAsync(url, visibility: 5);
        _sqs.Time.Advance(TimeSpan.FromSeconds(6));
        var second = await _sqs.ReceiveAsync(url);
        Assert.Equal(3, second.Count);
        var stale = first.Single(m => m.Body == second[0].Body).Handle;

        var (done, failed) = await DeleteAsync(url, stale, second[1].Handle, second[1].Handle, "no handle", foreign, second[2].Handle);
        Assert.Equal("0 1 2 5", done);
        Assert.Equal("3 ReceiptHandleIsInvalid, 4 InvalidParameterValue", failed);
        await _sqs.ChangeVisibilityAsync(url, second[0].Handle, 0);
        Assert.Equal(second[0].Body, await _sqs.TakeAsync(url));
    }

    [Fact]
    [Trait("Row", "Q12")]
    public async Task A_FIFO_queue_refuses_a_handle_that_is_too_old_and_deletes_by_the_others()
    {
        var url = await _sqs.CreateAsync("ordered.fifo");
        await _sqs.SendInGroupsAsync(url, "a-1", "b-1", "c-1");
        var first = await _sqs.ReceiveAsync(url, visibility: 5);
        _sqs.Time.Advance(TimeSpan.FromSeconds(6));
        var second = await _sqs.ReceiveAsync(url);
        string Of(List<(string Body, string Handle)> from, string body) => from.Single(m => m.Body == body).Handle;

        var (done, failed) = await DeleteAsync(url, Of(second, "a-1"), Of(first, "b-1"), Of(second, "c-1"), Of(first, "c-1"));
        Assert.Equal("0 2 3", done);
        Assert.Equal("1 InvalidParameterValue", failed);
        await _sqs.ChangeVisibilityAsync(url, Of(second, "b-1"), 0);
        Assert.Equal("b-1", await _sqs.TakeAsync(url));
    }

    private async Task<(string Done, string Failed)> DeleteAsync(string url, params string[] handles)
    {
        var answer = await _sqs.AskAsync("DeleteMessageBatch", new { QueueUrl = url, Entries = handles.Select((h, i) => new { Id = $"{i}", ReceiptHandle = h }) });
        return (
            string.Join(' ', answer["Successful"]?.AsArray().Select(e => $"{e!["Id"]}") ?? []),
            string.Join(", ", answer["Failed"]?.AsArray().Select(e => $"{e!["Id"]} {e["Code"]}") ?? []));
    }
}
