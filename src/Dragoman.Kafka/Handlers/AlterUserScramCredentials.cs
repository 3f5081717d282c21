using Dragoman.Broker.Security;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;

namespace Dragoman.Kafka.Handlers;

/// <summary>Changes users' SCRAM credentials. A user that is not there yet is made: an administrator if it is the first.</summary>
internal sealed class AlterUserScramCredentialsHandler : RequestHandler<AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse>
{
    private const int MaxIterations = 16384;

    protected override async ValueTask<AlterUserScramCredentialsResponse?> HandleAsync(AlterUserScramCredentialsRequest message, PendingRequest request)
    {
        var response = new AlterUserScramCredentialsResponse();
        foreach (var user in message.Deletions.Select(d => d.Name).Concat(message.Upsertions.Select(u => u.Name)).Distinct(StringComparer.Ordinal))
        {
            var result = new AlterUserScramCredentialsResponse.AlterUserScramCredentialsResult { User = user };
            response.Results.Add(result);
            try
            {
                request.RequireCluster(Operations.Alter);
                var answer = await AlterAsync(user, message, request.Broker.Accounts).ConfigureAwait(false);
                result.ErrorCode = Errors.Of(answer.Status);
                result.ErrorMessage = answer.Message;
            }
            catch (KafkaRequestException error)
            {
                result.ErrorCode = error.Code;
                result.ErrorMessage = error.Message;
            }
        }
        return response;
    }

    private static async ValueTask<AccountAnswer> AlterAsync(string name, AlterUserScramCredentialsRequest message, IAccounts accounts)
    {
        if (name.Length == 0) throw new KafkaRequestException(ErrorCode.UnacceptableCredential, "A user has a name.");
        var deleted = message.Deletions.Where(d => d.Name == name).Select(d => HashOf(d.Mechanism)).ToList();
        var upserted = message.Upsertions.Where(u => u.Name == name).Select(ToCredential).ToList();
        if (deleted.Concat(upserted.Select(u => u.Hash)).GroupBy(h => h).Any(g => g.Count() > 1))
            throw new KafkaRequestException(ErrorCode.DuplicateResource, $"The request changes a mechanism of user '{name}' more than once.");
        if (accounts.Find(name) is not { } known)
        {
            if (deleted.Count > 0) throw new KafkaRequestException(ErrorCode.ResourceNotFound, "Attempt to delete a user credential that does not exist");
            return await accounts.CreateUserAsync(new User(name, accounts.IsEnabled ? [] : [User.AdministratorTag], [.. upserted])).ConfigureAwait(false);
        }
        foreach (var hash in deleted)
            if (!known.Credentials.OfType<ScramCredential>().Any(c => c.Hash == hash))
                throw new KafkaRequestException(ErrorCode.ResourceNotFound, "Attempt to delete a user credential that does not exist");
        // A password that was set by other means is another one from here on, so what was made of it goes.
        return await accounts.ChangeUserAsync(name, user => user with
        {
            Credentials =
            [
                .. user.Credentials.Where(c => c is ScramCredential scram ? !deleted.Contains(scram.Hash) && !upserted.Any(u => u.Hash == scram.Hash) : c is not PasswordHash || upserted.Count == 0),
                .. upserted,
            ],
        }).ConfigureAwait(false);
    }

    private static ScramHash HashOf(ScramMechanism mechanism) => mechanism switch
    {
        ScramMechanism.Sha256 => ScramHash.Sha256,
        ScramMechanism.Sha512 => ScramHash.Sha512,
        _ => throw new KafkaRequestException(ErrorCode.UnsupportedSaslMechanism, "Unknown SCRAM mechanism"),
    };

    private static ScramCredential ToCredential(AlterUserScramCredentialsRequest.ScramCredentialUpsertion upsertion)
    {
        var hash = HashOf(upsertion.Mechanism);
        if (upsertion.Iterations < ScramCredential.DefaultIterations) throw new KafkaRequestException(ErrorCode.UnacceptableCredential, "Too few iterations");
        if (upsertion.Iterations > MaxIterations) throw new KafkaRequestException(ErrorCode.UnacceptableCredential, "Too many iterations");
        if (upsertion.Salt.Length == 0 || upsertion.SaltedPassword.Length == 0) throw new KafkaRequestException(ErrorCode.UnacceptableCredential, "A credential has a salt and a salted password.");
        return ScramCredential.FromSaltedPassword(hash, upsertion.Salt, upsertion.Iterations, upsertion.SaltedPassword);
    }
}
