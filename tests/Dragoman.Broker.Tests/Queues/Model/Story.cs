using System.Collections.Immutable;
using CsCheck;
using Dragoman.Broker.Queues;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Broker.Tests.Queues.Model;

/// <summary>What happens to a queue; what the three numbers of an <see cref="Act"/> mean depends on it.</summary>
internal enum ActKind
{
    Publish,
    Open,
    Grant,
    Pause,
    Cancel,
    Close,
    Receive,
    ReceiveOnConnection,
    Settle,
    SettleTimed,
    SettleStale,
    Extend,
    SettleUpTo,
    Purge,
    Seek,
    Advance,
    Checkpoint,
    Restart,
}

/// <summary>One act of a story.</summary>
internal readonly record struct Act(ActKind Kind, int A, int B, int C);

/// <summary>A queue and what happens to it: the same story always goes the same way.</summary>
internal sealed record Story(QueueSettings Settings, ulong Seed, Act[] Acts)
{
    /// <summary>
    /// Times that are set begin 500 ms after a whole second, and all durations end in 300 ms: so nothing is ever due when
    /// the model looks, and it need not know what takes how many milliseconds.
    /// </summary>
    public const int OddMs = 300;

    private static readonly HeaderFilter Filter = new([[new HeaderCondition("skip", HeaderMatch.Exists, IsNegated: true)]]);

    private static readonly Gen<long> Duration = Gen.Int[1, 12].Select(seconds => seconds * 1000L + OddMs);

    private static Gen<T> Or<T>(T usual, Gen<T> other) => Gen.Frequency((2, Gen.Const(usual)), (1, other));

    private static readonly Gen<SubscriptionSettings> Subscriptions =
        Gen.Select(
            Gen.Select(Gen.Enum<DispatchMode>(), Or(-1, Gen.Int[1, 4]), Gen.Bool, Or(-1L, Duration), Gen.Enum<ExpiryScope>()),
            Gen.Select(Or(0L, Gen.Int[1, 2].Select(s => s * 1000L + OddMs)), Gen.Enum<BackOffGrowth>(), Or(0L, Gen.Const(4000L + OddMs)), Or<HeaderFilter?>(null, Gen.Const<HeaderFilter?>(Filter)), Or(0L, Gen.Const(20_000L + OddMs))),
            static (one, two) => SubscriptionSettings.Default with
            {
                Dispatch = one.Item1,
                MaxDeliveries = one.Item2,
                DeadLetter = one.Item3 ? new DeadLetterTarget("dead", null, null) : null,
                MessageLifetimeMs = one.Item4,
                Expiry = one.Item5,
                MinBackOffMs = two.Item1,
                BackOff = two.Item2,
                // Nine or ten times would come round to the time at which the model looks.
                MaxBackOffMs = two.Item2 == BackOffGrowth.Linear ? 4000 + OddMs : two.Item3,
                Filter = two.Item4,
                ReplayWindowMs = two.Item5,
                LeaseMs = 3000 + OddMs,
            });

    private static readonly Gen<QueueSettings> Queues =
        Gen.Select(
            Subscriptions,
            Gen.Frequency((4, Gen.Const(true)), (1, Gen.Const(false))),
            Gen.Select(Or(0, Gen.Const(3)), Or(-1L, Gen.Long[2, 9]), Or(-1L, Gen.Long[10, 60]), Gen.Enum<Overflow>()),
            Gen.Select(Or(0L, Gen.Const(2000L + OddMs)), Or(0L, Gen.Const(5000L + OddMs))),
            static (subscription, durable, limits, times) => QueueSettings.Default with
            {
                Subscription = subscription,
                IsDurable = durable,
                MaxPriority = subscription.Dispatch is DispatchMode.ByKey or DispatchMode.Fair ? 0 : limits.Item1,
                MaxLength = limits.Item2,
                MaxLengthBytes = limits.Item3,
                Overflow = limits.Item4,
                DelayMs = times.Item1,
                DeduplicationWindowMs = times.Item2,
            });

    private static readonly Gen<ActKind> Kinds = Gen.Frequency(
        (12, Gen.Const(ActKind.Publish)), (4, Gen.Const(ActKind.Open)), (6, Gen.Const(ActKind.Grant)), (1, Gen.Const(ActKind.Pause)),
        (1, Gen.Const(ActKind.Cancel)), (2, Gen.Const(ActKind.Close)), (6, Gen.Const(ActKind.Receive)), (2, Gen.Const(ActKind.ReceiveOnConnection)),
        (10, Gen.Const(ActKind.Settle)), (8, Gen.Const(ActKind.SettleTimed)), (2, Gen.Const(ActKind.SettleStale)), (3, Gen.Const(ActKind.Extend)),
        (1, Gen.Const(ActKind.SettleUpTo)), (1, Gen.Const(ActKind.Purge)), (1, Gen.Const(ActKind.Seek)), (8, Gen.Const(ActKind.Advance)),
        (1, Gen.Const(ActKind.Checkpoint)), (2, Gen.Const(ActKind.Restart)));

    private static readonly Gen<Act> OneAct = Gen.Select(Kinds, Gen.Int[0, 1 << 20], Gen.Int[0, 1 << 20], Gen.Int[0, 1 << 20], static (kind, a, b, c) => new Act(kind, a, b, c));

    /// <summary>Any story.</summary>
    public static Gen<Story> Any { get; } = Gen.Select(Queues, Gen.ULong, OneAct.Array[1, 50], static (settings, seed, acts) => new Story(settings, seed, acts));

    public override string ToString() => $"{Settings with { Attributes = ImmutableSortedDictionary<string, string>.Empty }}, seed {Seed}:\n{string.Join("\n", Acts)}";
}
