namespace Dragoman.Broker.Producers;

/// <summary>Gives out the ids under which idempotent producers number their batches.</summary>
public interface IProducerIds
{
    /// <summary>A new id, never given out before, also not before a restart.</summary>
    ValueTask<long> AllocateAsync(CancellationToken cancellation = default);
}
