using MassTransit;

namespace Dragoman.MassTransit;

/// <summary>One order, from its submission until it is paid for, refused or forgotten.</summary>
public sealed class OrderState : SagaStateMachineInstance
{
    public Guid CorrelationId { get; set; }

    public string CurrentState { get; set; } = "";

    public Guid? PaymentTimeout { get; set; }
}

/// <summary>Has the card charged, and waits for what comes of it, but not for ever.</summary>
public sealed class OrderStateMachine : MassTransitStateMachine<OrderState>
{
    public OrderStateMachine()
    {
        InstanceState(order => order.CurrentState);
        Event(() => Submitted, e => e.CorrelateById(context => context.Message.OrderId));
        Event(() => Charged, e => e.CorrelateById(context => context.Message.OrderId));
        Event(() => ChargeFailed, e => e.CorrelateById(context => context.Message.Message.OrderId));
        Schedule(() => PaymentTimeout, order => order.PaymentTimeout, s =>
        {
            s.Delay = TimeSpan.FromMinutes(5);
            s.Received = e => e.CorrelateById(context => context.Message.OrderId);
        });

        Initially(When(Submitted)
            // Who wants to see an order expire has not got five minutes.
            .Schedule(PaymentTimeout, context => new PaymentExpired(context.Message.OrderId), context => context.Message.Card == "absent" ? TimeSpan.FromMilliseconds(500) : TimeSpan.FromMinutes(5))
            .Publish(context => new ChargeCard(context.Message.OrderId, context.Message.Card))
            .TransitionTo(Paying));

        During(Paying,
            When(Charged).Unschedule(PaymentTimeout).Publish(context => new OrderCompleted(context.Message.OrderId)).Finalize(),
            When(ChargeFailed).Unschedule(PaymentTimeout).Publish(context => new OrderRejected(context.Message.Message.OrderId, context.Message.Exceptions[0].Message)).Finalize(),
            When(PaymentTimeout.Received).Publish(context => new OrderExpired(context.Message.OrderId)).Finalize());

        SetCompletedWhenFinalized();
    }

    public State Paying { get; private set; } = null!;

    public Event<OrderSubmitted> Submitted { get; private set; } = null!;

    public Event<CardCharged> Charged { get; private set; } = null!;

    public Event<Fault<ChargeCard>> ChargeFailed { get; private set; } = null!;

    public Schedule<OrderState, PaymentExpired> PaymentTimeout { get; private set; } = null!;
}
