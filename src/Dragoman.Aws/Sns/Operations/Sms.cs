using System.Text.Json;
using System.Text.RegularExpressions;
using Dragoman.Aws.Http;
using Dragoman.Broker.Notifications;

namespace Dragoman.Aws.Sns.Operations;

/// <summary>Keeps settings of text messages. None are sent.</summary>
internal sealed partial class SetSMSAttributes(SnsNode node) : IOperation
{
    private static readonly string[] Names = ["MonthlySpendLimit", "DeliveryStatusIAMRole", "DeliveryStatusSuccessSamplingRate", "DefaultSenderID", "DefaultSMSType", "UsageReportS3Bucket"];

    public async ValueTask HandleAsync(AwsCall call)
    {
        var attributes = call.Input.TextMap("attributes", "attributes.entry", "key", "value");
        foreach (var (name, value) in attributes)
        {
            if (!Names.Contains(name)) throw SnsErrors.InvalidText($"{name} is not a valid attribute");
            if (name == "DefaultSMSType" && value is not ("Promotional" or "Transactional")) throw SnsErrors.InvalidText("DefaultSMSType is invalid");
            // AWS' own error has the name so.
            if (name == "DefaultSenderID" && !SenderId().IsMatch(value)) throw SnsErrors.InvalidText("DefaultSendID is not a valid attribute");
        }
        await SmsStore.ChangeAsync(
            node.Notifications, SmsStore.Attributes,
            kept =>
            {
                foreach (var (name, value) in attributes) kept[name] = value;
            },
            call.Gone);
    }

    [GeneratedRegex("^(?=.*[A-Za-z])[A-Za-z0-9]{1,11}$", RegexOptions.CultureInvariant)]
    private static partial Regex SenderId();
}

/// <summary>Shows settings of text messages.</summary>
internal sealed class GetSMSAttributes(SnsNode node) : IOperation
{
    public ValueTask HandleAsync(AwsCall call)
    {
        var wanted = call.Input.Texts("attributes", "attributes.member");
        var kept = SmsStore.Read(node.Notifications, SmsStore.Attributes);
        kept.TryAdd("MonthlySpendLimit", "1");
        call.Output.BeginMap("attributes", "entry", "key", "value");
        foreach (var (name, value) in kept)
            if (wanted.Count == 0 || wanted.Contains(name)) call.Output.Entry(name, value);
        call.Output.EndMap();
        return default;
    }
}

/// <summary>Whether a telephone wants no messages.</summary>
internal sealed class CheckIfPhoneNumberIsOptedOut(SnsNode node) : IOperation
{
    public ValueTask HandleAsync(AwsCall call)
    {
        var number = call.Input.Need("phoneNumber");
        SmsStore.CheckNumber(number);
        call.Output.Truth("isOptedOut", SmsStore.Read(node.Notifications, SmsStore.OptedOut).ContainsKey(number));
        return default;
    }
}

/// <summary>The telephones that want no messages: as none are sent, none has said so.</summary>
internal sealed class ListPhoneNumbersOptedOut(SnsNode node) : IOperation
{
    public ValueTask HandleAsync(AwsCall call)
    {
        call.Output.BeginList("phoneNumbers", "member");
        foreach (var number in SmsStore.Read(node.Notifications, SmsStore.OptedOut).Keys) call.Output.Item(number);
        call.Output.EndList();
        return default;
    }
}

/// <summary>Has a telephone want messages again.</summary>
internal sealed class OptInPhoneNumber(SnsNode node) : IOperation
{
    public async ValueTask HandleAsync(AwsCall call)
    {
        var number = call.Input.Need("phoneNumber");
        SmsStore.CheckNumber(number);
        await SmsStore.ChangeAsync(node.Notifications, SmsStore.OptedOut, kept => kept.Remove(number), call.Gone);
    }
}

/// <summary>Whether text messages go to verified telephones only: they go to none.</summary>
internal sealed class GetSMSSandboxAccountStatus : IOperation
{
    public ValueTask HandleAsync(AwsCall call)
    {
        call.Output.Truth("IsInSandbox", true);
        return default;
    }
}

/// <summary>Records a telephone to be verified. No code is sent.</summary>
internal sealed class CreateSMSSandboxPhoneNumber(SnsNode node) : IOperation
{
    public async ValueTask HandleAsync(AwsCall call)
    {
        var number = call.Input.Need("PhoneNumber");
        SmsStore.CheckNumber(number);
        await SmsStore.ChangeAsync(node.Notifications, SmsStore.Sandbox, kept => kept.TryAdd(number, "Pending"), call.Gone);
    }
}

/// <summary>Forgets a telephone.</summary>
internal sealed class DeleteSMSSandboxPhoneNumber(SnsNode node) : IOperation
{
    public async ValueTask HandleAsync(AwsCall call)
    {
        var number = call.Input.Need("PhoneNumber");
        if (!SmsStore.Read(node.Notifications, SmsStore.Sandbox).ContainsKey(number)) throw new AwsException("ResourceNotFound", "The phone number does not exist.", 404);
        await SmsStore.ChangeAsync(node.Notifications, SmsStore.Sandbox, kept => kept.Remove(number), call.Gone);
    }
}

/// <summary>Lists the telephones that were recorded.</summary>
internal sealed class ListSMSSandboxPhoneNumbers(SnsNode node) : IOperation
{
    public ValueTask HandleAsync(AwsCall call)
    {
        SnsNode.WritePage(call, "PhoneNumbers", [.. SmsStore.Read(node.Notifications, SmsStore.Sandbox)], static e => e.Key, entry =>
        {
            call.Output.Text("PhoneNumber", entry.Key);
            call.Output.Text("Status", entry.Value);
        });
        return default;
    }
}

/// <summary>Verifies a telephone: as no code was sent, none is the right one.</summary>
internal sealed class VerifySMSSandboxPhoneNumber(SnsNode node) : IOperation
{
    public ValueTask HandleAsync(AwsCall call)
    {
        if (!SmsStore.Read(node.Notifications, SmsStore.Sandbox).ContainsKey(call.Input.Need("PhoneNumber"))) throw new AwsException("ResourceNotFound", "The phone number does not exist.", 404);
        throw new AwsException("VerificationException", "No code was sent to the phone number: there is no such service here.");
    }
}

/// <summary>The numbers that text messages could come from: there are none.</summary>
internal sealed class ListOriginationNumbers : IOperation
{
    public ValueTask HandleAsync(AwsCall call)
    {
        call.Output.BeginList("PhoneNumbers", "member");
        call.Output.EndList();
        return default;
    }
}

/// <summary>What is recorded of text messages: settings of the notifications' state.</summary>
internal static partial class SmsStore
{
    public const string Attributes = "sns-sms:attributes";
    public const string OptedOut = "sns-sms:opted-out";
    public const string Sandbox = "sns-sms:sandbox";

    public static SortedDictionary<string, string> Read(INotifications notifications, string name) => Read(notifications.GetSetting(name));

    public static ValueTask<NotificationStatus> ChangeAsync(INotifications notifications, string name, Action<SortedDictionary<string, string>> change, CancellationToken cancellation) =>
        notifications.ChangeSettingAsync(
            name,
            kept =>
            {
                var entries = Read(kept);
                change(entries);
                return JsonSerializer.SerializeToUtf8Bytes(entries);
            },
            1 << 20, cancellation);

    /// <summary>Refuses what is no telephone's number.</summary>
    public static void CheckNumber(string number)
    {
        if (!Number().IsMatch(number)) throw SnsErrors.Invalid("PhoneNumber Reason: input incorrectly formatted");
    }

    private static SortedDictionary<string, string> Read(ReadOnlyMemory<byte>? kept) =>
        kept is { } bytes ? new SortedDictionary<string, string>(JsonSerializer.Deserialize<Dictionary<string, string>>(bytes.Span)!, StringComparer.Ordinal) : new SortedDictionary<string, string>(StringComparer.Ordinal);

    [GeneratedRegex(@"^\+?[0-9]{1,20}$", RegexOptions.CultureInvariant)]
    private static partial Regex Number();
}
