using Dragoman.Amqp.Sessions;
using Dragoman.Amqp.Wire.Methods;

namespace Dragoman.Amqp.Handlers;

/// <summary>Makes the channel transactional, for good.</summary>
internal sealed class TxSelectHandler : ChannelMethod<TxSelect>
{
    protected override ValueTask HandleAsync(Channel channel, TxSelect method)
    {
        if (channel.Confirms is not null) throw Errors.Precondition("cannot switch from confirm to tx mode");
        channel.Transaction ??= new Transaction(channel);
        channel.Send(default(TxSelectOk));
        return default;
    }
}

/// <summary>Does all that was asked since the last commit.</summary>
internal sealed class TxCommitHandler : ChannelMethod<TxCommit>
{
    protected override async ValueTask HandleAsync(Channel channel, TxCommit method)
    {
        if (channel.Transaction is not { } transaction) throw Errors.Precondition("channel is not transactional");
        await transaction.CommitAsync().ConfigureAwait(false);
        channel.Send(default(TxCommitOk));
    }
}

/// <summary>Forgets it.</summary>
internal sealed class TxRollbackHandler : ChannelMethod<TxRollback>
{
    protected override ValueTask HandleAsync(Channel channel, TxRollback method)
    {
        if (channel.Transaction is not { } transaction) throw Errors.Precondition("channel is not transactional");
        transaction.Rollback();
        channel.Send(default(TxRollbackOk));
        return default;
    }
}
