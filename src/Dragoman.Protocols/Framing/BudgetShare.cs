namespace Dragoman.Protocols.Framing;

/// <summary>How much of a <see cref="ByteBudget"/> a message may take the last of.</summary>
public enum BudgetShare
{
    /// <summary>
    /// Neither carries messages nor is large: all of the budget. Whatever publishers hold, consumers get through, and so do
    /// those who look what is the matter.
    /// </summary>
    Control,

    /// <summary>Publishes: all but an eighth.</summary>
    Publish,

    /// <summary>Is larger than <see cref="ByteBudget.LargeMessage"/>: all but a quarter.</summary>
    LargePublish,
}
