using Dragoman.Storage.Platform;

namespace Dragoman.Storage.State;

/// <summary>Brings a state machine to where it was. What makes no sense to it is damage, however it finds that out.</summary>
internal static class StateRecovery
{
    /// <summary>Replaces a machine's state by a snapshot.</summary>
    /// <exception cref="CorruptDataException">It is not what the machine wrote; the machine is of no use any more.</exception>
    public static void Restore(IStateMachine machine, long stateId, ReadOnlySpan<byte> snapshot)
    {
        try
        {
            machine.ReadSnapshot(snapshot);
        }
        catch (Exception error) when (IsContradiction(error))
        {
            throw new CorruptDataException($"The snapshot of state {stateId} makes no sense: {error.Message}", error);
        }
    }

    /// <summary>Has a machine take in an event.</summary>
    /// <exception cref="CorruptDataException">It is not an event of this machine as it is; the machine is of no use any more.</exception>
    public static void Replay(IStateMachine machine, long stateId, ReadOnlySpan<byte> evt)
    {
        try
        {
            machine.Apply(evt);
        }
        catch (Exception error) when (IsContradiction(error))
        {
            throw new CorruptDataException($"An event of state {stateId} makes no sense: {error.Message}", error);
        }
    }

    // What is there already, what is not there, and values that a constructor refuses. All else is a mistake of ours.
    private static bool IsContradiction(Exception error) => error is InvariantViolatedException or ArgumentException or KeyNotFoundException;
}
