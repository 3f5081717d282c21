using System.Text;
using Dragoman.Aws.Signing;
using Dragoman.Broker.Namespaces;
using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Time.Testing;

namespace Dragoman.Aws.Tests.Signing;

/// <summary>Signatures as in the suite that AWS publishes for Signature Version 4 (<c>get-vanilla</c> and its kin).</summary>
public sealed class SignatureVerifierTests
{
    private const string KeyId = "AKIDEXAMPLE";
    private const string Secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    private const string Vanilla = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";

    private static readonly DateTimeOffset SignedAt = new(2015, 8, 30, 12, 36, 0, TimeSpan.Zero);

    private readonly FakeTimeProvider _clock = new(SignedAt);

    private SignatureVerifier Verifier => new(new OneUser(), _clock);

    [Fact]
    public void A_good_signature_tells_whose_request_it_is() =>
        Assert.Equal("alice", Verifier.Verify(Request("GET", "/", Vanilla, "host;x-amz-date"), default));

    [Theory]
    [InlineData("/?Param2=value2&Param1=value1", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500")]
    public void Parameters_are_signed_in_the_order_of_their_names(string target, string signature) =>
        Assert.Equal("alice", Verifier.Verify(Request("GET", target, signature, "host;x-amz-date"), default));

    [Fact]
    public void A_request_that_is_not_signed_is_nobodys() => Assert.Null(Verifier.Verify(Bare("GET", "/"), default));

    [Fact]
    public void Another_body_is_not_what_was_signed() =>
        Assert.Equal("SignatureDoesNotMatch", Refused(Request("GET", "/", Vanilla, "host;x-amz-date"), "{}").Code);

    [Fact]
    public void A_key_that_nobody_has_is_refused()
    {
        var request = Bare("GET", "/");
        request.Headers.Authorization = $"AWS4-HMAC-SHA256 Credential=AKIDNOBODY/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature={Vanilla}";
        request.Headers["X-Amz-Date"] = "20150830T123600Z";
        Assert.Equal("InvalidClientTokenId", Refused(request).Code);
    }

    [Theory]
    [InlineData(16)]
    [InlineData(-16)]
    public void A_signature_is_good_for_a_quarter_of_an_hour(int minutes)
    {
        if (minutes > 0) _clock.Advance(TimeSpan.FromMinutes(minutes));
        else _clock.AdjustTime(SignedAt + TimeSpan.FromMinutes(minutes));
        Assert.Equal("SignatureDoesNotMatch", Refused(Request("GET", "/", Vanilla, "host;x-amz-date")).Code);
    }

    [Fact]
    public void A_header_without_its_parts_says_which_are_missing()
    {
        var request = Bare("GET", "/");
        request.Headers.Authorization = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request";
        var error = Refused(request);
        Assert.Equal("IncompleteSignature", error.Code);
        Assert.Contains("'Signature'", error.Message, StringComparison.Ordinal);
        Assert.Contains("'SignedHeaders'", error.Message, StringComparison.Ordinal);
    }

    private SigningException Refused(HttpRequest request, string body = "") => Assert.Throws<SigningException>(() => Verifier.Verify(request, Encoding.UTF8.GetBytes(body)));

    private static HttpRequest Request(string method, string target, string signature, string signedHeaders)
    {
        var request = Bare(method, target);
        request.Headers["X-Amz-Date"] = "20150830T123600Z";
        request.Headers.Authorization = $"AWS4-HMAC-SHA256 Credential={KeyId}/20150830/us-east-1/service/aws4_request, SignedHeaders={signedHeaders}, Signature={signature}";
        return request;
    }

    private static HttpRequest Bare(string method, string target)
    {
        var context = new DefaultHttpContext();
        context.Features.Get<IHttpRequestFeature>()!.RawTarget = target;
        context.Request.Method = method;
        context.Request.Host = new HostString("example.amazonaws.com");
        if (target.Contains('?', StringComparison.Ordinal)) context.Request.QueryString = new QueryString(target[target.IndexOf('?', StringComparison.Ordinal)..]);
        return context.Request;
    }

    private sealed class OneUser : IAccounts
    {
        private static readonly User Alice = new("alice", [User.AdministratorTag], [new AccessKey(KeyId, Secret)]);

        public bool IsEnabled => true;

        public long Version => 1;

        public IReadOnlyList<User> Users => [Alice];

        public IReadOnlyList<Permission> Permissions => [];

        public IReadOnlyList<TopicPermission> TopicPermissions => [];

        public User? Find(string name) => name == Alice.Name ? Alice : null;

        public (User User, AccessKey Key)? FindAccessKey(string id) => id == KeyId ? (Alice, (AccessKey)Alice.Credentials[0]) : null;

        public User? FindToken(string token) => null;

        public User? CheckPassword(string name, string password) => null;

        public ValueTask<AccountAnswer> CreateUserAsync(User user, CancellationToken cancellation) => throw new NotSupportedException();

        public ValueTask<AccountAnswer> ChangeUserAsync(string name, Func<User, User> change, CancellationToken cancellation) => throw new NotSupportedException();

        public ValueTask<AccountAnswer> DeleteUserAsync(string name, CancellationToken cancellation) => throw new NotSupportedException();

        public ValueTask<AccountAnswer> AddPermissionsAsync(IReadOnlyList<Permission> permissions, CancellationToken cancellation) => throw new NotSupportedException();

        public ValueTask<(AccountAnswer Answer, IReadOnlyList<Permission> Removed)> RemovePermissionsAsync(Predicate<Permission> picked, CancellationToken cancellation) => throw new NotSupportedException();

        public bool Allows(string? user, string host, Operations operation, ResourceKind kind, NamespaceName? ns, string name) => true;

        public bool AllowsAny(string? user, string host, Operations operation, ResourceKind kind) => true;

        public ValueTask<AccountAnswer> PutTopicPermissionAsync(TopicPermission permission, CancellationToken cancellation) => throw new NotSupportedException();

        public ValueTask<AccountAnswer> RemoveTopicPermissionsAsync(Predicate<TopicPermission> picked, CancellationToken cancellation) => throw new NotSupportedException();

        public bool AllowsKey(string? user, Operations operation, TopicName topic, string routingKey, string space) => true;
    }
}
