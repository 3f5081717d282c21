using Dragoman.Broker.Groups.Classic;

namespace Dragoman.Broker.Groups.Consumer;

/// <summary>What comes of a heartbeat.</summary>
/// <param name="Answer">The answer.</param>
/// <param name="Draft">What is to change; null if the heartbeat was refused.</param>
/// <param name="Member">The member as it then is; null if it was refused or has left.</param>
internal sealed record ConsumerDecision(ConsumerAnswer Answer, ConsumerDraft? Draft, ConsumerMember? Member);

/// <summary>What comes of a classic member's join.</summary>
/// <param name="Answer">The answer.</param>
/// <param name="Draft">What is to change; null if it was refused, or is only told its id.</param>
/// <param name="Member">The member as it then is; null likewise.</param>
internal sealed record ClassicDecision(JoinAnswer Answer, ConsumerDraft? Draft, ConsumerMember? Member);
