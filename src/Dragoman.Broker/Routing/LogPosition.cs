namespace Dragoman.Broker.Routing;

/// <summary>Where a record is.</summary>
/// <param name="Topic">The id of its topic.</param>
/// <param name="Partition">The partition.</param>
/// <param name="Offset">The offset.</param>
internal readonly record struct LogPosition(Guid Topic, int Partition, long Offset);
