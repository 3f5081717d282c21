namespace Dragoman.Broker.Routing.Filters;

/// <summary>A filter policy is refused, in the words that Amazon SNS has for it.</summary>
/// <param name="message">What is wrong with it.</param>
public sealed class FilterPolicyException(string message) : Exception(message);
