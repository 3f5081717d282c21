namespace Dragoman.Broker.Routing.Filters;

/// <summary>What of a message a filter policy looks at.</summary>
public enum FilterScope : byte
{
    /// <summary>Its free headers, which SNS calls message attributes.</summary>
    Attributes = 0,

    /// <summary>Its value, which has to be a JSON object.</summary>
    Body = 1,
}
