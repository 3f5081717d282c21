namespace Dragoman.Broker.Subscriptions;

/// <summary>Why a message is settled. The values are in the journal.</summary>
internal enum SettleReason : byte
{
    Acknowledged = 0,
    Expired = 1,
    DeadLettered = 2,
    MovedOut = 3,
    Purged = 4,
    Filtered = 5,
    Dropped = 6,
}
