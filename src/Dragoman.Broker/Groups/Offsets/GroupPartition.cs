namespace Dragoman.Broker.Groups.Offsets;

/// <summary>
/// A partition as groups know it: by the topic's id, so that a topic created anew under an old name begins without
/// the old one's offsets.
/// </summary>
/// <param name="Topic">The topic's id.</param>
/// <param name="Partition">The partition's index.</param>
public readonly record struct GroupPartition(Guid Topic, int Partition);
