using Dragoman.Aws.Http;

namespace Dragoman.Aws.Sts;

/// <summary>The little of AWS' Security Token Service that tools ask for before they begin.</summary>
internal static class StsService
{
    public static Service Create(AwsNode node) => new(
        "sts", null, "2011-06-15", "https://sts.amazonaws.com/doc/2011-06-15/", "com.amazonaws.sts#", isFlattened: false, [new GetCallerIdentity(node)]);
}
