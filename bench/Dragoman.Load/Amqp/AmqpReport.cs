using Dragoman.Load.Reporting;

namespace Dragoman.Load.Amqp;

/// <summary>Results of one load as a table.</summary>
internal static class AmqpReport
{
    /// <summary>Prints it; with those of a peer, and ratios, where there is one.</summary>
    public static void Print(AmqpLoadOptions options, AmqpLoadResult ours, AmqpLoadResult? theirs)
    {
        var rows = new List<string[]>();
        Add("published /s", r => r.PublishedPerSecond, Sizes.Count);
        if (options.Consumers > 0) Add("delivered /s", r => r.DeliveredPerSecond, Sizes.Count);
        if (options.Safe) AddText("publish to confirm, p50/90/99/99.9/max", r => $"{r.ConfirmLatency}");
        if (options.Consumers > 0) AddText("publish to delivery, p50/90/99/99.9/max", r => $"{r.DeliveryLatency}");
        if (ours.Cpu.Watched is not null)
        {
            Add("broker CPU, us/message", r => r.BrokerMicrosecondsPerMessage ?? double.NaN, v => $"{v:F2}");
            Add("broker CPU, cores", r => r.Cpu.WatchedShare ?? double.NaN, v => $"{v:F2}");
        }
        Add("client CPU, us/message", r => r.ClientMicrosecondsPerMessage, v => $"{v:F2}");
        if (ours.ResidentBytes is not null)
        {
            Add($"resident with {Sizes.Count(ours.Published)} messages waiting", r => r.ResidentBytes ?? double.NaN, Sizes.Bytes);
            Add("resident at most, until then", r => r.MostResidentBytes ?? double.NaN, Sizes.Bytes);
        }
        var rate = options.Rate > 0 ? $", {options.Rate:F0}/s" : "";
        var title = $"AMQP, {options.Mode}, {(options.Safe ? "persistent and confirmed" : "transient")}, {options.MessageBytes} B, {options.Producers} producers, {options.Consumers} consumers, {options.Queues} queues{rate}";
        Terminal.Print(title, theirs is null ? ["measured", ours.Target] : ["measured", ours.Target, theirs.Target, "ratio"], rows);

        void Add(string name, Func<AmqpLoadResult, double> value, Func<double, string> format)
        {
            if (theirs is null) rows.Add([name, format(value(ours))]);
            else rows.Add([name, format(value(ours)), format(value(theirs)), $"{value(ours) / value(theirs):F2}"]);
        }

        void AddText(string name, Func<AmqpLoadResult, string> value)
        {
            if (theirs is null) rows.Add([name, value(ours)]);
            else rows.Add([name, value(ours), value(theirs), ""]);
        }
    }
}
