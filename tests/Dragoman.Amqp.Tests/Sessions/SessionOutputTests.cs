using System.IO.Pipelines;
using Dragoman.Amqp.Sessions;

namespace Dragoman.Amqp.Tests.Sessions;

public sealed class SessionOutputTests
{
    /// <summary>Writes a byte for each thing that it has when it is prepared.</summary>
    private sealed class Source(SessionOutput output) : OutputSource
    {
        private int _added;
        private int _prepared;

        public Action Prepared { get; set; } = static () => { };

        public void Add()
        {
            _added++;
            output.Announce(this);
        }

        public override void Prepare()
        {
            _prepared += _added;
            _added = 0;
            Prepared();
        }

        public override bool Produce(PipeWriter writer, int budget, out int written)
        {
            written = _prepared;
            writer.GetSpan(_prepared)[.._prepared].Clear();
            writer.Advance(_prepared);
            _prepared = 0;
            return false;
        }
    }

    /// <summary>A confirm that came between was never sent, unless something else happened on its channel.</summary>
    [Fact]
    public async Task What_a_source_has_after_it_was_prepared_and_before_it_is_written_is_written_too()
    {
        var pipe = new Pipe();
        using var output = new SessionOutput(pipe.Writer);
        var (first, second) = (new Source(output), new Source(output));
        var late = 3;
        second.Prepared = () =>
        {
            // The first one is prepared already, and not written yet.
            if (late-- > 0) first.Add();
        };
        first.Add();
        second.Add();
        var running = output.RunAsync();
        var read = await pipe.Reader.ReadAtLeastAsync(3, TestContext.Current.CancellationToken).AsTask().WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
        Assert.Equal(3, read.Buffer.Length);
        pipe.Reader.AdvanceTo(read.Buffer.End);
        output.End();
        Assert.Null(await running);
    }
}
