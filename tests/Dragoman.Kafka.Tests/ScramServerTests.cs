using System.Security.Cryptography;
using System.Text;
using Dragoman.Broker.Security;
using Dragoman.Kafka.Tests.Handlers;
using Dragoman.Protocols.Authentication;

namespace Dragoman.Kafka.Tests;

public sealed class ScramServerTests
{
    [Theory]
    [InlineData(ScramHash.Sha256, "pencil", true)]
    [InlineData(ScramHash.Sha512, "pencil", true)]
    [InlineData(ScramHash.Sha256, "pen", false)]
    public async Task A_client_is_let_in_by_the_right_password_alone_and_learns_that_the_server_knows_it(ScramHash hash, string password, bool expected)
    {
        await using var broker = await BrokerFixture.StartAsync();
        var user = new User("a,b=c", [User.AdministratorTag], []).WithPassword("pencil", RandomNumberGenerator.GetBytes(36));
        Assert.Equal(AccountStatus.Ok, (await broker.Broker.Accounts.CreateUserAsync(user)).Status);
        Assert.Equal(expected, LogIn(new ScramServer(broker.Broker.Accounts, hash), hash, "a=2Cb=3Dc", password));
        Assert.False(LogIn(new ScramServer(broker.Broker.Accounts, hash), hash, "nobody", password));
    }

    private static bool LogIn(ScramServer server, ScramHash hash, string name, string password)
    {
        var algorithm = ScramCredential.NameOf(hash);
        var bare = $"n={name},r=rOprNGfwEbeRWgbNEkqO";
        var first = Encoding.UTF8.GetString(server.First(Encoding.UTF8.GetBytes("n,," + bare))!);
        var fields = first.Split(',').ToDictionary(f => f[0], f => f[2..]);
        var salted = Rfc2898DeriveBytes.Pbkdf2(Encoding.UTF8.GetBytes(password), Convert.FromBase64String(fields['s']), int.Parse(fields['i'], System.Globalization.CultureInfo.InvariantCulture), algorithm, ScramCredential.SizeOf(hash));
        var clientKey = CryptographicOperations.HmacData(algorithm, salted, "Client Key"u8.ToArray());
        var withoutProof = $"c=biws,r={fields['r']}";
        var message = Encoding.UTF8.GetBytes($"{bare},{first},{withoutProof}");
        var signature = CryptographicOperations.HmacData(algorithm, CryptographicOperations.HashData(algorithm, clientKey), message);
        var proof = Convert.ToBase64String([.. clientKey.Select((b, i) => (byte)(b ^ signature[i]))]);
        var last = server.Final(Encoding.UTF8.GetBytes($"{withoutProof},p={proof}"));
        if (last is null) return false;
        var serverKey = CryptographicOperations.HmacData(algorithm, salted, "Server Key"u8.ToArray());
        Assert.Equal("v=" + Convert.ToBase64String(CryptographicOperations.HmacData(algorithm, serverKey, message)), Encoding.UTF8.GetString(last));
        return true;
    }
}
