using Dragoman.Aws.Http;
using Dragoman.Aws.Sns.Operations;

namespace Dragoman.Aws.Sns;

/// <summary>Amazon Simple Notification Service: topics of the default namespace with subscriptions, in its Query protocol.</summary>
internal static class SnsService
{
    public static Service Create(SnsNode node) =>
        new("sns", null, "2010-03-31", "http://sns.amazonaws.com/doc/2010-03-31/", "com.amazonaws.sns#", isFlattened: false,
        [
            new CreateTopic(node), new DeleteTopic(node), new ListTopics(node), new GetTopicAttributes(node), new SetTopicAttributes(node),
            new TagResource(node), new UntagResource(node), new ListTagsForResource(node),
            new AddPermission(node), new RemovePermission(node), new PutDataProtectionPolicy(node), new GetDataProtectionPolicy(node),
            new Subscribe(node), new ConfirmSubscription(node), new Unsubscribe(node), new GetSubscriptionAttributes(node), new SetSubscriptionAttributes(node),
            new ListSubscriptions(node), new ListSubscriptionsByTopic(node),
            new Publish(node), new PublishBatch(node),
            new CreatePlatformApplication(node), new DeletePlatformApplication(node), new ListPlatformApplications(node),
            new GetPlatformApplicationAttributes(node), new SetPlatformApplicationAttributes(node),
            new CreatePlatformEndpoint(node), new DeleteEndpoint(node), new ListEndpointsByPlatformApplication(node), new GetEndpointAttributes(node), new SetEndpointAttributes(node),
            new SetSMSAttributes(node), new GetSMSAttributes(node), new CheckIfPhoneNumberIsOptedOut(node), new ListPhoneNumbersOptedOut(node), new OptInPhoneNumber(node),
            new GetSMSSandboxAccountStatus(), new CreateSMSSandboxPhoneNumber(node), new DeleteSMSSandboxPhoneNumber(node), new ListSMSSandboxPhoneNumbers(node), new VerifySMSSandboxPhoneNumber(node),
            new ListOriginationNumbers(),
        ]);
}
