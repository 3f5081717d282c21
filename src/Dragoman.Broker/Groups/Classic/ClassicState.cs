namespace Dragoman.Broker.Groups.Classic;

/// <summary>Where a group whose members assign themselves stands.</summary>
internal enum ClassicState
{
    /// <summary>It has no members.</summary>
    Empty,

    /// <summary>Members are awaited to join the next generation.</summary>
    PreparingRebalance,

    /// <summary>The generation is settled; its leader is awaited to assign.</summary>
    CompletingRebalance,

    /// <summary>Every member has its share.</summary>
    Stable,
}
