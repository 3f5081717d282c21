using System.Net.Sockets;
using Dragoman.Commands;
using Dragoman.Protocols;
using Dragoman.Storage.Journal;
using Dragoman.Storage.Platform;

namespace Dragoman.Serve;

/// <summary>Says why the broker did not start, and what a person can do about it.</summary>
internal static class StartFailure
{
    /// <summary>Explains why the data directory was not opened.</summary>
    public static CommandException Explain(IOException error, string directory) => error switch
    {
        DirectoryInUseException => new CommandException(
            $"The data directory {error.Message.Replace($"'{directory}' is", $"{directory} is", StringComparison.Ordinal)} Stop that broker first, or give this one another directory with {Setting.Data.Option}."),
        CorruptStoreException => new CommandException(
            $"The store in {directory} is damaged and was left as it is. {error.Message}\n'dragoman storage inspect {directory}' shows what is there."),
        DiskFullException => new CommandException(
            $"The disk under {directory} is too full to start: {error.Message} Free some space and start again; nothing is lost."),
        _ => new CommandException($"The data directory {directory} cannot be used: {error.Message}"),
    };

    /// <summary>Explains why a listener was not opened.</summary>
    public static CommandException Explain(Exception error, IReadOnlyList<FrontEndBinding> bindings)
    {
        // The server does not say which of the addresses it could not have.
        foreach (var binding in bindings)
        {
            if (binding.SocketPath is not null || Probe(binding) is not { } reason) continue;
            var name = binding.FrontEnd.Name;
            var advice = reason switch
            {
                SocketError.AddressAlreadyInUse => $"Port {binding.Port} on {binding.Address} is in use, so the {name} listener cannot have it. Stop what uses it, or choose another with --{name} PORT (0 for a free one, off for none).",
                SocketError.AccessDenied => $"Port {binding.Port} needs rights that this process does not have. Choose another with --{name} PORT (above 1023).",
                SocketError.AddressNotAvailable => $"{binding.Address} is not an address of this machine. Choose one that is with {Setting.Bind.Option}.",
                _ => $"The {name} listener cannot have port {binding.Port} on {binding.Address}: {reason}.",
            };
            return new CommandException(advice);
        }
        return new CommandException($"The listeners cannot be opened: {error.Message}");
    }

    private static SocketError? Probe(FrontEndBinding binding)
    {
        try
        {
            using var socket = new Socket(binding.Address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new System.Net.IPEndPoint(binding.Address, binding.Port));
            socket.Listen();
            return null;
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode;
        }
    }
}
