using Dragoman.Storage.Journal;

namespace Dragoman.Aws;

/// <summary>How the AWS front end behaves.</summary>
public sealed record AwsOptions
{
    /// <summary>The account that queues and topics belong to: twelve digits. All others are taken for it.</summary>
    public string Account { get; init; } = "000000000000";

    /// <summary>The region of requests that name none in their signature. Regions are taken for one another.</summary>
    public string Region { get; init; } = "us-east-1";

    /// <summary>What an acknowledged message of queues that are made here means.</summary>
    public CommitMode CommitMode { get; init; } = CommitMode.Fsync;

    /// <summary>The longest body of a request, in bytes: a megabyte of message, escaped in a form.</summary>
    public int MaxRequestBytes { get; init; } = 8 << 20;

    /// <summary>Bytes of request bodies that all connections together hold.</summary>
    public long MaxGatheredBytes { get; init; } = 256 << 20;

    /// <summary>Whether everything may be deleted by one request, for tests.</summary>
    public bool AllowReset { get; init; }

    /// <summary>Ends when the server stops, so that long polls end with an answer.</summary>
    public CancellationToken Stopping { get; init; }
}
