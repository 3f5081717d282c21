using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using Dragoman.Aws.Signing;
using Dragoman.Protocols.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Dragoman.Aws.Http;

/// <summary>Finds out which operation a request is, whose it is, and has it done.</summary>
internal sealed class Dispatcher(IReadOnlyList<Service> services, Authenticator authenticator, SignatureVerifier verifier, AwsOptions options, ILogger log)
{
    private const int PooledOutputs = 64;
    private const int LargeBytes = 128 << 10;

    private readonly BodyBudget _budget = new(options.MaxGatheredBytes);
    private readonly ConcurrentQueue<JsonOutput> _outputs = [];

    /// <summary>Answers a request.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "Whatever goes wrong is answered and logged; the server goes on.")]
    public async Task HandleAsync(HttpContext context)
    {
        var requestId = RandomIds.Next().ToString();
        Service? service = null;
        var isQuery = !context.Request.Headers.ContainsKey("X-Amz-Target");
        RequestBody body = default;
        try
        {
            body = await RequestBody.ReadAsync(context, options.MaxRequestBytes, _budget);
            // What takes milliseconds to read and hash, or looks at all queues, does not hold up the other connections of the thread.
            if (body.Memory.Length > LargeBytes) await Task.Yield();
            if (isQuery) await HandleQueryAsync(context, body.Memory, requestId, s => service = s);
            else await HandleJsonAsync(context, body.Memory, requestId, s => service = s);
        }
        catch (AwsException error)
        {
            await WriteErrorAsync(context, service, error, isQuery, requestId);
        }
        catch (SigningException error)
        {
            await WriteErrorAsync(context, service, new AwsException(error.Code, error.Message, error.Status), isQuery, requestId);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // The client has gone; nobody is left to be answered.
        }
        catch (BadHttpRequestException error)
        {
            await WriteErrorAsync(context, service, new AwsException("InvalidRequest", error.Message, error.StatusCode), isQuery, requestId);
        }
        catch (Exception error)
        {
            log.LogError(error, "{Method} {Path} failed", context.Request.Method, context.Request.Path);
            await WriteErrorAsync(context, service, new AwsException("InternalFailure", "The request could not be processed because of an error of the server.", 500), isQuery, requestId);
        }
        finally
        {
            body.Dispose();
        }
    }

    private async ValueTask HandleJsonAsync(HttpContext context, ReadOnlyMemory<byte> body, string requestId, Action<Service> found)
    {
        var target = context.Request.Headers["X-Amz-Target"].ToString();
        var dot = target.LastIndexOf('.');
        var service = services.FirstOrDefault(s => s.Target is not null && dot > 0 && target.AsSpan(0, dot).SequenceEqual(s.Target));
        if (service?.Find(target[(dot + 1)..]) is not { } operation) throw new AwsException("UnknownOperationException", $"The operation {target} is not known here.", 404);
        found(service);
        if (operation.IsOfService) await Task.Yield();
        var (identity, region, keyId) = Identify(context, body, operation);
        using var document = JsonInput.Parse(body);
        if (!_outputs.TryDequeue(out var output)) output = new JsonOutput();
        output.Begin();
        await operation.HandleAsync(new AwsCall
        {
            Context = context,
            Input = new JsonInput(document.RootElement),
            Output = output,
            Identity = identity,
            Region = region,
            KeyId = keyId,
            IsQuery = false,
            RequestId = requestId,
        });
        await Response.WriteJsonAsync(context, requestId, output.End());
        // One that failed half-way is not used again; one that grew large is not kept.
        output.Begin();
        if (_outputs.Count < PooledOutputs && output.IsSmall) _outputs.Enqueue(output);
        else output.Dispose();
    }

    private async ValueTask HandleQueryAsync(HttpContext context, ReadOnlyMemory<byte> body, string requestId, Action<Service> found)
    {
        var request = context.Request;
        var query = request.QueryString.Value is { Length: > 1 } text ? text[1..] : "";
        var input = FormInput.Parse(query, IsForm(request.ContentType) ? body.Span : default);
        if (input.Text("Action") is not { } action)
        {
            if (!HttpMethods.IsGet(request.Method)) throw new AwsException("MissingAction", "The request must contain the parameter Action.");
            await Response.WriteAsync(context, StatusCodes.Status404NotFound, "text/xml", requestId, "<UnknownOperationException/>"u8.ToArray());
            return;
        }
        var service = FindService(context, input, action);
        if (service is not null) found(service);
        if (service?.Find(action) is not { } operation || (operation.IsOfService && request.Path.Value is { Length: > 1 })) throw new AwsException("InvalidAction", $"The action {action} is not valid for this endpoint.");
        if (operation.IsOfService) await Task.Yield();
        var (identity, region, keyId) = Identify(context, body, operation);
        if (service.IsFlattened && Response.WantsJson(context))
        {
            using var json = new JsonOutput(lowersLists: true);
            Response.BeginQueryJson(json, operation.Name, operation.HasResult);
            await HandleAsync(json);
            await Response.WriteQueryJsonAsync(context, json, operation.HasResult, requestId);
            return;
        }
        using var output = new XmlOutput(service.IsFlattened);
        Response.BeginXml(output, service, operation.Name, operation.HasResult);
        await HandleAsync(output);
        await Response.WriteXmlAsync(context, output, operation.Name, operation.HasResult, requestId);

        ValueTask HandleAsync(Output target) => operation.HandleAsync(new AwsCall
        {
            Context = context,
            Input = input,
            Output = target,
            Identity = identity,
            Region = region,
            KeyId = keyId,
            IsQuery = true,
            RequestId = requestId,
        });
    }

    /// <summary>By the version of the API, else the service that the signature names, else whoever has such an action.</summary>
    private Service? FindService(HttpContext context, FormInput input, string action)
    {
        if (input.Text("Version") is { } version && services.FirstOrDefault(s => s.Version == version) is { } byVersion) return byVersion;
        if (RequestSignature.TryReadScope(context.Request.Headers.Authorization, out _, out var scope) && services.FirstOrDefault(s => s.Name == scope) is { } byScope) return byScope;
        return services.FirstOrDefault(s => s.Find(action) is not null);
    }

    private (ClientIdentity Identity, string Region, string? KeyId) Identify(HttpContext context, ReadOnlyMemory<byte> body, IOperation operation)
    {
        var host = HostOf(context.Connection.RemoteIpAddress);
        var authorization = context.Request.Headers.Authorization.ToString();
        if (authorization.Length == 0) authorization = context.Request.Query["X-Amz-Credential"].ToString();
        var region = RequestSignature.TryReadScope(authorization, out var named, out _) ? named : options.Region;
        var keyId = RequestSignature.KeyIdOf(authorization);
        if (!verifier.IsEnabled)
        {
            // Nobody has a key to sign with: whatever came along counts for nothing.
            if (authenticator.RequiresLogin && !operation.IsOpen) throw SigningException.UnknownKey();
            return (authenticator.Anonymous(host), region, keyId);
        }
        if (verifier.Verify(context.Request, body.Span) is { } user) return (new ClientIdentity(authenticator.Accounts, user, host), region, keyId);
        if (authenticator.RequiresLogin && !operation.IsOpen) throw SigningException.Missing();
        return (authenticator.Anonymous(host), region, keyId);
    }

    private static string HostOf(IPAddress? address) => address switch
    {
        null => "unknown",
        // Most come from here.
        _ when address.Equals(IPAddress.Loopback) => "127.0.0.1",
        _ => address.ToString(),
    };

    private static bool IsForm(string? type) => type is null || type.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase);

    private static ValueTask WriteErrorAsync(HttpContext context, Service? service, AwsException error, bool isQuery, string requestId)
    {
        if (context.Response.HasStarted || context.RequestAborted.IsCancellationRequested) return ValueTask.CompletedTask;
        if (isQuery && service is { IsFlattened: true } && Response.WantsJson(context)) return Response.WriteQueryJsonErrorAsync(context, error, requestId);
        return isQuery ? Response.WriteXmlErrorAsync(context, service, error, requestId) : Response.WriteJsonErrorAsync(context, service, error, requestId);
    }
}
