using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Dragoman.Broker.Topics;

namespace Dragoman.Admin.Tests;

public sealed class RecordTests
{
    private static async Task<List<JsonNode>> ReadAsync(AdminServer server, string query)
    {
        var text = await server.Client.GetStringAsync(query);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
    }

    [Theory]
    [InlineData("none")]
    [InlineData("gzip")]
    [InlineData("snappy")]
    [InlineData("lz4")]
    [InlineData("zstd")]
    public async Task Records_come_back_as_they_went_in_null_and_empty_apart(string codec)
    {
        await using var server = await AdminServer.StartAsync();
        const string Records = """
            {"records":[
              {"key":"k","value":"v","timestamp":1700000000123,"headers":[{"name":"h","value":"1"},{"name":"h","valueBase64":"/w=="},{"name":"n"}]},
              {"keyBase64":"/w==","timestamp":5},
              {"value":"","timestamp":6}]}
            """;
        var (status, result) = await server.SendAsync("POST", $"topics/t/records?compression={codec}", Records);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal("""{"records":3,"partitions":[{"partition":0,"records":3,"firstOffset":0,"lastOffset":2}]}""", result!.ToJsonString());
        var read = await ReadAsync(server, "topics/t/records");
        Assert.Equal("""{"partition":0,"offset":0,"timestamp":1700000000123,"key":"k","value":"v","headers":[{"name":"h","value":"1"},{"name":"h","valueBase64":"/w=="},{"name":"n"}]}""", read[0].ToJsonString());
        Assert.Equal("""{"partition":0,"offset":1,"timestamp":5,"keyBase64":"/w=="}""", read[1].ToJsonString());
        Assert.Equal("""{"partition":0,"offset":2,"timestamp":6,"value":""}""", read[2].ToJsonString());
    }

    [Fact]
    public async Task Lines_of_any_bytes_come_back_byte_for_byte()
    {
        await using var server = await AdminServer.StartAsync();
        var random = new Random(7);
        var sent = new byte[3_000_000];
        random.NextBytes(sent);
        sent[^1] = (byte)'\n';
        using var body = new ByteArrayContent(sent);
        body.Headers.TryAddWithoutValidation("Content-Type", "text/plain");
        using var answer = await server.Client.PostAsync("topics/t/records", body);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        var lines = sent.Count(b => b == (byte)'\n');
        Assert.Equal(lines, (int)JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["records"]!);
        var received = await server.Client.GetByteArrayAsync("topics/t/records?format=value");
        Assert.True(sent.AsSpan().SequenceEqual(received));
    }

    [Fact]
    public async Task A_line_longer_than_the_servers_buffers_is_one_record_and_a_last_line_needs_no_end()
    {
        await using var server = await AdminServer.StartAsync();
        await server.SendAsync("POST", "topics", """{"name":"t","settings":{"maxMessageBytes":8000000}}""");
        var line = new string('x', 5_000_000);
        var (_, result) = await server.SendAsync("POST", "topics/t/records", $"a\n{line}\n\nb", "text/plain");
        Assert.Equal(4, (int)result!["records"]!);
        Assert.Equal($"a\n{line}\n\nb\n", await server.Client.GetStringAsync("topics/t/records?format=value"));
    }

    [Fact]
    public async Task Keys_choose_partitions_as_kafkas_producers_do()
    {
        await using var server = await AdminServer.StartAsync();
        await server.SendAsync("POST", "topics", """{"name":"t","partitions":7}""");
        // The hashes are those of Kafka's own tests of murmur2 (UtilsTest).
        (string Key, int Hash)[] known = [("21", -973932308), ("foobar", -790332482), ("a-little-bit-long-string", -985981536), ("a-little-bit-longer-string", -1486304829), ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971), ("abc", 479470107)];
        var body = string.Join('\n', known.Select(k => $"{k.Key}=value"));
        await server.SendAsync("POST", "topics/t/records?keySeparator=%3D", body, "text/plain");
        var read = await ReadAsync(server, "topics/t/records");
        Assert.Equal(known.Length, read.Count);
        foreach (var (key, hash) in known)
            Assert.Equal((hash & int.MaxValue) % 7, (int)read.Single(r => (string?)r["key"] == key)["partition"]!);
    }

    [Fact]
    public async Task Records_without_a_key_reach_all_partitions_of_a_topic()
    {
        await using var server = await AdminServer.StartAsync();
        await server.SendAsync("POST", "topics", """{"name":"t","partitions":3}""");
        var lines = string.Concat(Enumerable.Range(0, 40_000).Select(i => $"{i:D100}\n"));
        var (_, result) = await server.SendAsync("POST", "topics/t/records", lines, "text/plain");
        Assert.Equal(3, result!["partitions"]!.AsArray().Count);
        var read = await server.Client.GetStringAsync("topics/t/records?format=value");
        Assert.Equal(lines.Split('\n').Order(), read.Split('\n').Order());
    }

    [Fact]
    public async Task Reading_begins_where_it_is_told_and_ends_at_the_limit()
    {
        await using var server = await AdminServer.StartAsync();
        var records = string.Join(',', Enumerable.Range(0, 10).Select(i => $$"""{"value":"{{i}}","timestamp":{{1_700_000_000_000 + (i * 1000)}}}"""));
        await server.SendAsync("POST", "topics/t/records", $$"""{"records":[{{records}}]}""");
        async Task<string> Values(string query) => (await server.Client.GetStringAsync($"topics/t/records?format=value&{query}")).Replace("\n", "", StringComparison.Ordinal);
        Assert.Equal("0123456789", await Values("from=beginning"));
        Assert.Equal("", await Values("from=end"));
        Assert.Equal("789", await Values("from=7"));
        Assert.Equal("", await Values("from=10"));
        Assert.Equal("34", await Values("from=3&limit=2"));
        Assert.Equal("", await Values("limit=0"));
        Assert.Equal("56789", await Values("from=2023-11-14T22:13:25Z"));
        Assert.Equal("", await Values("from=1h"));
        Assert.Equal("89", await Values("partition=0&from=8"));
    }

    [Fact]
    public async Task Following_shows_records_as_they_are_committed_and_ends_with_the_node()
    {
        await using var server = await AdminServer.StartAsync();
        await server.SendAsync("POST", "topics", """{"name":"t","partitions":2}""");
        await server.SendAsync("POST", "topics/t/records?partition=0", "before", "text/plain");
        using var response = await server.Client.GetAsync("topics/t/records?follow=true&from=end&format=value", HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(), Encoding.UTF8);
        for (var i = 0; i < 5; i++)
        {
            await server.SendAsync("POST", $"topics/t/records?partition={i % 2}", $"line {i}", "text/plain");
            Assert.Equal($"line {i}", await reader.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(10)));
        }
        server.Node.Stop();
        Assert.Null(await reader.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task Following_ends_when_the_topic_is_deleted()
    {
        await using var server = await AdminServer.StartAsync();
        await server.SendAsync("POST", "topics/t/records", "x", "text/plain");
        using var response = await server.Client.GetAsync("topics/t/records?follow=true&format=value", HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(), Encoding.UTF8);
        Assert.Equal("x", await reader.ReadLineAsync(TestContext.Current.CancellationToken));
        await server.SendAsync("DELETE", "topics/t");
        Assert.Null(await reader.ReadLineAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task What_came_before_a_refused_record_is_counted()
    {
        await using var server = await AdminServer.StartAsync();
        await server.SendAsync("POST", "topics", """{"name":"t","settings":{"maxMessageBytes":1000}}""");
        var (status, problem) = await server.SendAsync("POST", "topics/t/records", $"a\nb\n{new string('x', 2000)}\nc\n", "text/plain");
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, status);
        Assert.Equal(2, (int)problem!["appended"]!);
        Assert.Equal("a\nb\n", await server.Client.GetStringAsync("topics/t/records?format=value"));
    }

    [Theory]
    [InlineData("application/x-ndjson", "{\"value\":\"a\"}\n{\"valu\":\"b\"}\n", "", HttpStatusCode.BadRequest, "Line 2")]
    [InlineData("application/x-ndjson", "{\"value\":\"a\",\"offset\":3}\n", "", HttpStatusCode.BadRequest, "offset")]
    [InlineData("application/json", "{\"records\":[{\"value\":\"a\",\"valueBase64\":\"YQ==\"}]}", "", HttpStatusCode.BadRequest, "both")]
    [InlineData("application/json", "[]", "", HttpStatusCode.BadRequest, "JSON")]
    [InlineData("application/xml", "<a/>", "", HttpStatusCode.UnsupportedMediaType, "application/xml")]
    [InlineData("text/plain", "a", "?partition=9", HttpStatusCode.BadRequest, "no partition 9")]
    [InlineData("text/plain", "a", "?partition=x", HttpStatusCode.BadRequest, "partition")]
    [InlineData("text/plain", "a", "?compression=rar", HttpStatusCode.BadRequest, "compression")]
    public async Task Bad_records_are_refused_with_the_reason(string type, string body, string query, HttpStatusCode expected, string reason)
    {
        await using var server = await AdminServer.StartAsync();
        var (status, problem) = await server.SendAsync("POST", $"topics/t/records{query}", body, type);
        Assert.Equal(expected, status);
        Assert.Contains(reason, (string?)problem!["detail"]);
        // The connection is still good.
        Assert.Equal(HttpStatusCode.OK, (await server.SendAsync("POST", "topics/t/records", "ok", "text/plain")).Status);
    }

    [Theory]
    [InlineData("from=11", "ends before offset 0")]
    [InlineData("from=yesterday", "from")]
    [InlineData("partition=1", "no partition '1'")]
    [InlineData("limit=-1", "limit")]
    [InlineData("format=xml", "format")]
    [InlineData("follow=maybe", "follow")]
    public async Task Bad_questions_are_refused_with_the_reason(string query, string reason)
    {
        await using var server = await AdminServer.StartAsync();
        await server.SendAsync("POST", "topics", """{"name":"t"}""");
        var (status, problem) = await server.SendAsync("GET", $"topics/t/records?{query}");
        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains(reason, (string?)problem!["detail"]);
    }

    [Fact]
    public async Task Topics_are_made_on_use_only_where_the_broker_allows_it()
    {
        await using var server = await AdminServer.StartAsync(autoCreate: false);
        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync("POST", "topics/t/records", "x", "text/plain")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await server.SendAsync("GET", "topics/t/records")).Status);
        Assert.Null(server.Broker.Topics.Find(TopicName.InDefault("t")));
    }
}
