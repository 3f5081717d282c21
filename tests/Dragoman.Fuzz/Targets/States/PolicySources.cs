using Dragoman.Broker.Configs;
using Dragoman.Broker.Quotas;
using Dragoman.Broker.Security;

namespace Dragoman.Fuzz.Targets.States;

internal sealed class SecuritySource : StateSource<SecurityState>
{
    protected override byte[] Event(SecurityState state, Random random)
    {
        switch (random.Next(6))
        {
            case 0:
                return SecurityState.RemoveUser(Some.Text(random)).ToArray();
            case 1 when Some.Present(state.Permissions, random) is { } gone:
                return SecurityState.RemovePermission(gone).ToArray();
            case 2 or 3:
                var permission = new Permission(
                    Some.Text(random), random.Next(2) == 0 ? null : Some.Namespace(random), (ResourceKind)random.Next(4),
                    new NamePattern((PatternKind)random.Next(3), Some.Text(random)), (Operations)random.Next(100), (Effect)random.Next(2), Some.Text(random));
                return SecurityState.AddPermission(permission).ToArray();
            default:
                return SecurityState.PutUser(new User(Some.Text(random), [.. Some.Several(random, Some.Text)], [.. Some.Several(random, Credential)])).ToArray();
        }
    }

    // A permission's pattern becomes an automaton, and a permission takes twenty bytes at least.
    public override long MostAllocated(int bytes) => base.MostAllocated(bytes) + (1 + bytes / 20) * (512L << 10);

    private static Credential Credential(Random random) => random.Next(4) switch
    {
        0 => new ScramCredential((ScramHash)random.Next(2), [.. Some.Bytes(random)], random.Next(10_000), [.. Some.Bytes(random)], [.. Some.Bytes(random)]),
        1 => new PasswordHash((PasswordAlgorithm)random.Next(2), [.. Some.Bytes(random)]),
        2 => new AccessKey(Some.Text(random), Some.Text(random)),
        _ => new TokenHash(Some.Text(random), [.. Some.Bytes(random)]),
    };
}

internal sealed class QuotaSource : StateSource<QuotaRegistry>
{
    protected override byte[] Event(QuotaRegistry state, Random random) =>
        QuotaRegistry.Changed(new QuotaChange(new QuotaEntity(Name(random), Name(random), Name(random)), (QuotaKind)random.Next(3), random.Next(3) == 0 ? null : random.Next(1000))).ToArray();

    private static QuotaName? Name(Random random) => random.Next(2) == 0 ? null : new QuotaName(Some.OptionalText(random));
}

internal sealed class ConfigSource : StateSource<ConfigRegistry>
{
    protected override byte[] Event(ConfigRegistry state, Random random) =>
        ConfigRegistry.Put(new ConfigTarget((ConfigKind)random.Next(3), Some.Text(random)), TopicSource.Attributes(random)).ToArray();
}
