namespace Dragoman.MassTransit;

/// <summary>Somebody wants something, and gives a card to pay with.</summary>
public sealed record OrderSubmitted(Guid OrderId, string Card);

/// <summary>Asks for the money.</summary>
public sealed record ChargeCard(Guid OrderId, string Card);

public sealed record CardCharged(Guid OrderId);

public sealed record OrderCompleted(Guid OrderId);

public sealed record OrderRejected(Guid OrderId, string Reason);

public sealed record OrderExpired(Guid OrderId);

/// <summary>What the saga sends to itself, for when nobody has paid by then.</summary>
public sealed record PaymentExpired(Guid OrderId);

public sealed record CheckStock(string Article);

public sealed record StockChecked(string Article, int Left);

public sealed record Job(int Number);

public sealed record Reminder(int Number, DateTimeOffset Due);

/// <summary>What no endpoint takes.</summary>
public sealed record Stray(int Number);
