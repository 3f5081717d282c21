using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Transactions;

namespace Dragoman.Fuzz.Targets.States;

internal sealed class TransactionSource : StateSource<TransactionShard>
{
    protected override byte[] Event(TransactionShard state, Random random)
    {
        var id = new TransactionalId(NamespaceName.Default, $"t{random.Next(3)}");
        var now = Some.Number(random);
        var entry = state.Find(id);
        if (entry is null) return TransactionEvents.Initialised(id, new ProducerIdentity(random.Next(9), 0), -1, random.Next(), now).ToArray();
        if (entry.IsEnding) return TransactionEvents.Completed(id, now).ToArray();
        if (entry.State == TransactionState.Ongoing && random.Next(3) == 0)
            return TransactionEvents.Ended(id, (short)(entry.Producer.Epoch + random.Next(2)), random.Next(2) == 0, random.Next(2) == 0, now).ToArray();
        if (entry.State != TransactionState.Ongoing && random.Next(4) == 0) return TransactionEvents.Forgotten(id, now).ToArray();
        return TransactionEvents.Joined(id, Some.Several(random, static r => new TransactionPartition(Some.Id(r), r.Next(4))), Some.OptionalText(random), now).ToArray();
    }
}
