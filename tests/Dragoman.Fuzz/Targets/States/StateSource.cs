using System.Buffers;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Topics;
using Dragoman.Storage.State;

namespace Dragoman.Fuzz.Targets.States;

/// <summary>Makes states of a kind, and events that could happen to them.</summary>
internal abstract class StateSource
{
    /// <summary>The machine that it is about.</summary>
    public abstract Type Machine { get; }

    /// <summary>Whether it can make events.</summary>
    public virtual bool HasEvents => true;

    /// <summary>A machine without any events.</summary>
    public abstract IStateMachine Create();

    /// <summary>An event that a state as it is could take.</summary>
    public abstract byte[] Event(IStateMachine state, Random random);

    /// <summary>Bytes of memory that an event of so many bytes may take.</summary>
    public virtual long MostAllocated(int bytes) => (64 << 10) + bytes * 600L;
}

/// <inheritdoc/>
internal abstract class StateSource<T> : StateSource where T : IStateMachine, new()
{
    public sealed override Type Machine => typeof(T);

    public sealed override IStateMachine Create() => new T();

    public sealed override byte[] Event(IStateMachine state, Random random) => Event((T)state, random);

    protected abstract byte[] Event(T state, Random random);
}

/// <summary>A machine of which nobody has said what happens to it: only its empty snapshot is known.</summary>
internal sealed class EmptySource(Type machine) : StateSource
{
    public override Type Machine => machine;

    public override bool HasEvents => false;

    public override IStateMachine Create() => (IStateMachine)Activator.CreateInstance(machine, nonPublic: true)!;

    public override byte[] Event(IStateMachine state, Random random) => throw new NotSupportedException();
}

/// <summary>What states are made of.</summary>
internal static class Some
{
    private static readonly string[] s_texts = ["", "a", "orders", "queue.b", "ä", "x/y", "retention.ms", "a rather long text, longer than any name has to be"];

    public static string Text(Random random) => s_texts[random.Next(s_texts.Length)];

    public static string? OptionalText(Random random) => random.Next(2) == 0 ? null : Text(random);

    public static byte[] Bytes(Random random)
    {
        var bytes = new byte[random.Next(20)];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>One of a few, so that things meet.</summary>
    public static Guid Id(Random random) => new(random.Next(4), 0, 0, [0, 0, 0, 0, 0, 0, 0, 1]);

    public static NamespaceName Namespace(Random random) => random.Next(2) == 0 ? NamespaceName.Default : new NamespaceName(Text(random), Text(random));

    public static TopicName Topic(Random random) => new(Namespace(random), Text(random));

    public static long Number(Random random) => random.Next(5) == 0 ? random.NextInt64() : random.Next(1000);

    public static T[] Several<T>(Random random, Func<Random, T> make)
    {
        var items = new T[random.Next(4)];
        for (var i = 0; i < items.Length; i++) items[i] = make(random);
        return items;
    }

    /// <summary>One of what there is, or null if there is nothing.</summary>
    public static T? Present<T>(IEnumerable<T> items, Random random) where T : class
    {
        var all = items.ToList();
        return all.Count == 0 ? null : all[random.Next(all.Count)];
    }

    public static byte[] Write(Action<IBufferWriter<byte>> write)
    {
        var buffer = new ArrayBufferWriter<byte>();
        write(buffer);
        return buffer.WrittenSpan.ToArray();
    }
}
