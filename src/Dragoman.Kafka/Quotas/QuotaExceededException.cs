using Dragoman.Kafka.Wire;

namespace Dragoman.Kafka.Quotas;

/// <summary>A client has changed too much; it may try again when what it used is paid for (KIP-599).</summary>
internal sealed class QuotaExceededException(int waitMs) : KafkaRequestException(ErrorCode.ThrottlingQuotaExceeded, "The throttling quota has been exceeded.")
{
    /// <summary>When that is, in milliseconds from now.</summary>
    public int WaitMs { get; } = waitMs;
}
