using Dragoman.Broker.Transactions;

namespace Dragoman.Kafka.Handlers;

/// <summary>What Kafka's tools call the states of transactions (TransactionState.java).</summary>
internal static class TransactionStates
{
    private static readonly HashSet<string> s_known =
        ["Empty", "Ongoing", "PrepareCommit", "PrepareAbort", "CompleteCommit", "CompleteAbort", "Dead", "PrepareEpochFence"];

    /// <summary>The state's name.</summary>
    public static string NameOf(TransactionState state) => state.ToString();

    /// <summary>Whether Kafka has a state of that name, though no transaction here may ever be in it.</summary>
    public static bool IsKnown(string name) => s_known.Contains(name);
}
