namespace Dragoman.Simulation;

/// <summary>
/// The simulated process has died inside this call, or was dead already. Not an <see cref="IOException"/>: no handler of
/// disk errors may take it for one.
/// </summary>
public sealed class SimulatedCrashException(string message) : Exception(message);

/// <summary>A simulation went wrong. The message names the seed.</summary>
public class SimulationFailedException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>Nothing is ready and no timer is armed, but what was waited for has not happened.</summary>
public sealed class SimDeadlockException(string message) : SimulationFailedException(message);

/// <summary>What was waited for did not happen within the steps allowed.</summary>
public sealed class SimStepLimitException(string message) : SimulationFailedException(message);
