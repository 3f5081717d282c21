using System.Text.Json;
using Dragoman.Storage.Records;
using Microsoft.AspNetCore.Http;

namespace Dragoman.Aws.Http;

/// <summary>Writes answers and errors, dressed as each protocol has them.</summary>
internal static class Response
{
    private const string JsonType = "application/x-amz-json-1.0";
    private const string QueryJsonType = "application/json";
    private const string XmlType = "text/xml";
    private const string RequestIdHeader = "x-amzn-RequestId";

    /// <summary>Writes an answer of the JSON protocol.</summary>
    public static ValueTask WriteJsonAsync(HttpContext context, string requestId, ReadOnlyMemory<byte> body) => WriteAsync(context, StatusCodes.Status200OK, JsonType, requestId, body);

    /// <summary>Writes an answer of the Query protocol, whose result has been written between <see cref="BeginXml"/> and this.</summary>
    public static ValueTask WriteXmlAsync(HttpContext context, XmlOutput output, string operation, bool hasResult, string requestId)
    {
        if (hasResult) output.CloseOrShorten(operation + "Result");
        output.Open("ResponseMetadata");
        output.Text("RequestId", requestId);
        output.Close("ResponseMetadata");
        output.Close(operation + "Response");
        return WriteAsync(context, StatusCodes.Status200OK, XmlType, requestId, output.Written);
    }

    /// <summary>Begins an answer of the Query protocol.</summary>
    public static void BeginXml(XmlOutput output, Service service, string operation, bool hasResult)
    {
        output.Raw("<?xml version=\"1.0\"?>"u8);
        output.Open($"{operation}Response xmlns=\"{service.XmlNamespace}\"");
        if (hasResult) output.Open(operation + "Result");
    }

    /// <summary>Whether a client of the Query protocol would rather have JSON than XML.</summary>
    public static bool WantsJson(HttpContext context) => context.Request.Headers.Accept is [{ } accept, ..] && accept.StartsWith(QueryJsonType, StringComparison.OrdinalIgnoreCase);

    /// <summary>Begins an answer of the Query protocol in JSON.</summary>
    public static void BeginQueryJson(JsonOutput output, string operation, bool hasResult)
    {
        output.BeginStructure(operation + "Response");
        if (hasResult) output.BeginStructure(operation + "Result");
    }

    /// <summary>Writes an answer of the Query protocol in JSON, whose result has been written since <see cref="BeginQueryJson"/>.</summary>
    public static ValueTask WriteQueryJsonAsync(HttpContext context, JsonOutput output, bool hasResult, string requestId)
    {
        if (hasResult) output.EndStructure();
        output.BeginStructure("ResponseMetadata");
        output.Text("RequestId", requestId);
        output.EndStructure();
        output.EndStructure();
        return WriteAsync(context, StatusCodes.Status200OK, QueryJsonType, requestId, output.End());
    }

    /// <summary>Writes an error of the Query protocol in JSON.</summary>
    public static async ValueTask WriteQueryJsonErrorAsync(HttpContext context, AwsException error, string requestId)
    {
        using var output = new JsonOutput();
        output.BeginStructure("Error");
        output.Text("Type", error.Fault);
        output.Text("Code", error.Code);
        output.Text("Message", error.Message);
        output.EndStructure();
        output.Text("RequestId", requestId);
        await WriteAsync(context, error.Status, QueryJsonType, requestId, output.End());
    }

    /// <summary>Writes an error of the JSON protocol. Old exceptions are known by the code in a header of their own.</summary>
    public static ValueTask WriteJsonErrorAsync(HttpContext context, Service? service, AwsException error, string requestId)
    {
        using var buffer = new PooledBuffer();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("__type", $"{service?.ErrorPrefix ?? "com.amazon.coral.service#"}{error.Shape ?? error.Code}");
            json.WriteString("message", error.Message);
            json.WriteEndObject();
        }
        context.Response.Headers["x-amzn-query-error"] = $"{error.Code};{error.Fault}";
        // The buffer goes back when this ends; an error may cost a copy.
        return WriteAsync(context, error.Status, JsonType, requestId, buffer.WrittenSpan.ToArray());
    }

    /// <summary>Writes an error of the Query protocol.</summary>
    public static ValueTask WriteXmlErrorAsync(HttpContext context, Service? service, AwsException error, string requestId)
    {
        using var output = new XmlOutput(isFlattened: true);
        output.Raw("<?xml version=\"1.0\"?>"u8);
        output.Open(service is null ? "ErrorResponse" : $"ErrorResponse xmlns=\"{service.XmlNamespace}\"");
        output.Open("Error");
        output.Text("Type", error.Fault);
        output.Text("Code", error.Code);
        output.Text("Message", error.Message);
        // SNS and STS know no such element.
        if (service is not { IsFlattened: false }) output.Raw("<Detail/>"u8);
        output.Close("Error");
        output.Text("RequestId", requestId);
        output.Close("ErrorResponse");
        return WriteAsync(context, error.Status, XmlType, requestId, output.Written.ToArray());
    }

    /// <summary>Writes anything.</summary>
    public static async ValueTask WriteAsync(HttpContext context, int status, string type, string? requestId, ReadOnlyMemory<byte> body)
    {
        var response = context.Response;
        response.StatusCode = status;
        response.ContentType = type;
        response.ContentLength = body.Length;
        if (requestId is not null) response.Headers[RequestIdHeader] = requestId;
        if (HttpMethods.IsHead(context.Request.Method)) return;
        await response.BodyWriter.WriteAsync(body, context.RequestAborted);
    }
}
