using System.IO.Pipelines;

namespace Dragoman.Fuzz.Targets;

/// <summary>A connection without a socket, seen from the broker.</summary>
internal sealed class ClientPipes : IDuplexPipe
{
    private readonly Pipe _toBroker = new(new PipeOptions(useSynchronizationContext: false, pauseWriterThreshold: 0));
    private readonly Pipe _toClient = new(new PipeOptions(useSynchronizationContext: false));

    public PipeReader Input => _toBroker.Reader;

    public PipeWriter Output => _toClient.Writer;

    /// <summary>Sends bytes, hangs up, and waits until the broker has closed. Returns how many bytes it answered.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="session">Ends when the broker has closed.</param>
    /// <param name="patience">How long that may take.</param>
    public async Task<long> SendAsync(byte[] bytes, Task session, TimeSpan patience)
    {
        await _toBroker.Writer.WriteAsync(bytes);
        await _toBroker.Writer.CompleteAsync();
        long answered = 0;
        while (true)
        {
            var result = await _toClient.Reader.ReadAsync();
            answered += result.Buffer.Length;
            _toClient.Reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted) break;
        }
        await session.WaitAsync(patience);
        return answered;
    }
}
