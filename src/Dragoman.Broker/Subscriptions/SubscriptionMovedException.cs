namespace Dragoman.Broker.Subscriptions;

/// <summary>What was asked of a subscription is not done: another has taken its place.</summary>
internal sealed class SubscriptionMovedException : Exception;
