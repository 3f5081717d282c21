using System.Buffers;

namespace Dragoman.Storage.State;

/// <summary>
/// State that is a function of its events. <see cref="Apply"/> is the only way it changes: for a live event and for a
/// replayed one alike.
/// </summary>
/// <remarks>All members are called under the lock of the <see cref="StateLog"/> that holds the machine, or during recovery.</remarks>
public interface IStateMachine
{
    /// <summary>Takes in an event. It must not fail: whatever could be wrong was checked before the event was made.</summary>
    void Apply(ReadOnlySpan<byte> evt);

    /// <summary>Writes the whole state, uncommitted events included, in a versioned form.</summary>
    void WriteSnapshot(IBufferWriter<byte> target);

    /// <summary>
    /// Replaces the state by what <see cref="WriteSnapshot"/> wrote, in this release or the one before. Memory follows the bytes
    /// that are there, whatever they claim.
    /// </summary>
    /// <exception cref="Platform.CorruptDataException">It is something else.</exception>
    void ReadSnapshot(ReadOnlySpan<byte> source);
}
