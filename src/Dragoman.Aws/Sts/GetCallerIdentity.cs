using Dragoman.Aws.Http;

namespace Dragoman.Aws.Sts;

/// <summary>Tells a client who it is.</summary>
internal sealed class GetCallerIdentity(AwsNode node) : IOperation
{
    public ValueTask HandleAsync(AwsCall call)
    {
        var account = node.Options.Account;
        call.Output.Text("Arn", call.Identity.User is { } user ? $"arn:aws:iam::{account}:user/{user}" : $"arn:aws:iam::{account}:root");
        call.Output.Text("UserId", call.KeyId ?? account);
        call.Output.Text("Account", account);
        return ValueTask.CompletedTask;
    }
}
