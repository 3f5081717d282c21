using System.Net;
using System.Net.Sockets;
using Dragoman.Protocols.Connections;
using Dragoman.Protocols.Tls;
using Dragoman.Protocols.Transport;
using Dragoman.Protocols.Transport.Loops;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dragoman.Protocols;

/// <summary>Runs all front ends on one Kestrel server.</summary>
public sealed class FrontEndServer : IAsyncDisposable
{
    private readonly WebApplication _application;

    private FrontEndServer(WebApplication application, IReadOnlyList<(string Name, EndPoint EndPoint)> endpoints)
    {
        _application = application;
        Endpoints = endpoints;
    }

    /// <summary>Where each front end listens, in the order in which they were given.</summary>
    public IReadOnlyList<(string Name, EndPoint EndPoint)> Endpoints { get; }

    /// <summary>Binds all listeners and begins to serve.</summary>
    /// <param name="bindings">The front ends.</param>
    /// <param name="loggers">Where to log.</param>
    /// <param name="services">Adds what front ends need from dependency injection.</param>
    /// <param name="drain">How long requests that are under way may take when the server stops.</param>
    /// <param name="tls">The certificate by which every listener accepts TLS beside plain connections; null for plain ones alone.</param>
    /// <param name="connections">Where connections are listed; null for nowhere.</param>
    /// <exception cref="IOException">A port is in use.</exception>
    public static async Task<FrontEndServer> StartAsync(
        IReadOnlyList<FrontEndBinding> bindings, ILoggerFactory loggers, Action<IServiceCollection>? services = null, TimeSpan? drain = null, TlsSettings? tls = null,
        ConnectionRegistry? connections = null)
    {
        ArgumentNullException.ThrowIfNull(bindings);
        var log = loggers.CreateLogger<FrontEndServer>();
        // Only what is given here counts: the process's arguments and environment are read elsewhere.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Services.AddSingleton<ILoggerFactory>(new ServerLoggers(loggers));
        builder.Services.AddRouting();
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = drain ?? TimeSpan.FromSeconds(5));
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>, BlockPool.Factory>();
        services?.Invoke(builder.Services);
        // Sockets complete on the thread pool already; a second hop there for every read, and one for every write, would
        // cost more than all that a small request needs. Nothing in a front end blocks a thread.
        builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        // The last that is added is asked first.
        if (LoopTransport.IsSupported) builder.Services.AddSingleton<IConnectionListenerFactory, LoopTransport>();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            foreach (var binding in bindings)
            {
                Action<ListenOptions> configure = listener =>
                {
                    if (tls is not null) listener.AcceptTls(tls, log);
                    else if (binding.FrontEnd.OwnTls is { } own) listener.AcceptTls(own, log);
                    if (connections is not null && binding.FrontEnd.ListedAs is { } protocol) listener.Use(next => new ConnectionListing(next, connections, protocol).OnConnectionAsync);
                    binding.FrontEnd.ConfigureListener(listener);
                };
                if (binding.SocketPath is { } path)
                {
                    SocketFile.RemoveStale(path);
                    kestrel.ListenUnixSocket(path, configure);
                }
                else
                {
                    var usesLoops = LoopTransport.Serves(binding.FrontEnd);
                    kestrel.Listen(usesLoops ? new LoopEndPoint(binding.Address, binding.Port) { HandlesOnPool = binding.FrontEnd.LeavesLoops } : new IPEndPoint(binding.Address, binding.Port), configure);
                }
            }
        });
        var application = builder.Build();
        var ports = bindings.Select(b => b.Port).ToArray();
        for (var i = 0; i < bindings.Count; i++)
        {
            if (bindings[i].FrontEnd is not IHttpFrontEnd http) continue;
            var index = i;
            application.MapWhen(context => context.Connection.LocalPort == ports[index], http.ConfigureApplication);
        }
        application.Run(static context =>
        {
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        });
        try
        {
            await application.StartAsync().ConfigureAwait(false);
        }
        catch
        {
            await application.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        // Kestrel reports its addresses in the order in which they were configured.
        var endpoints = new List<(string, EndPoint)>();
        var addresses = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        foreach (var address in addresses)
        {
            var binding = bindings[endpoints.Count];
            if (binding.SocketPath is { } path)
            {
                endpoints.Add((binding.FrontEnd.Name, new UnixDomainSocketEndPoint(path)));
                continue;
            }
            var endpoint = new IPEndPoint(binding.Address, BindingAddress.Parse(address).Port);
            ports[endpoints.Count] = endpoint.Port;
            binding.FrontEnd.OnBound(endpoint);
            endpoints.Add((binding.FrontEnd.Name, endpoint));
        }
        return new FrontEndServer(application, endpoints);
    }

    /// <summary>Stops accepting, lets requests finish for a while, and closes what is left.</summary>
    public async ValueTask DisposeAsync()
    {
        await _application.StopAsync().ConfigureAwait(false);
        await _application.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// The loggers of Kestrel. The one that says when requests begin and end is left out: nobody wants that of a broker, and as
    /// long as it is there an <c>Activity</c> is made for each request.
    /// </summary>
    private sealed class ServerLoggers(ILoggerFactory loggers) : ILoggerFactory
    {
        private const string Requests = "Microsoft.AspNetCore.Hosting.Diagnostics";

        public ILogger CreateLogger(string categoryName) => categoryName == Requests ? NullLogger.Instance : loggers.CreateLogger(categoryName);

        public void AddProvider(ILoggerProvider provider) => loggers.AddProvider(provider);

        // They are the caller's.
        public void Dispose()
        {
        }
    }

    /// <summary>Signals are the executable's to handle.</summary>
    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
