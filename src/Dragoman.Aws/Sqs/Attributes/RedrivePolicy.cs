using System.Globalization;
using System.Text.Json;

namespace Dragoman.Aws.Sqs.Attributes;

/// <summary>Where messages go that were received too often.</summary>
/// <param name="Queue">The name of the dead-letter queue.</param>
/// <param name="MaxReceiveCount">How often a message is received at most.</param>
internal sealed record RedrivePolicy(string Queue, int MaxReceiveCount)
{
    private const int MostReceives = 1000;

    /// <summary>Reads the attribute: JSON in a text.</summary>
    /// <exception cref="Http.AwsException">It makes no sense.</exception>
    public static RedrivePolicy Parse(string text)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(text);
        }
        catch (JsonException)
        {
            throw SqsErrors.InvalidParameter(text, AttributeNames.RedrivePolicy, "Redrive policy is not a valid JSON map.");
        }
        using (document)
        {
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object) throw SqsErrors.InvalidParameter(text, AttributeNames.RedrivePolicy, "Redrive policy is not a valid JSON map.");
            if (!root.TryGetProperty("deadLetterTargetArn", out var arn)) throw SqsErrors.InvalidParameter(text, AttributeNames.RedrivePolicy, "Redrive policy does not contain mandatory attribute: deadLetterTargetArn.");
            if (!root.TryGetProperty("maxReceiveCount", out var count)) throw SqsErrors.InvalidParameter(text, AttributeNames.RedrivePolicy, "Redrive policy does not contain mandatory attribute: maxReceiveCount.");
            if (arn.ValueKind != JsonValueKind.String || QueueUrl.NameOfArn(arn.GetString()!) is not { } queue) throw SqsErrors.InvalidParameter(text, AttributeNames.RedrivePolicy, "Invalid value for deadLetterTargetArn.");
            // Tools write the number either way.
            if (!int.TryParse(count.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var max) || max is < 1 or > MostReceives)
                throw SqsErrors.InvalidParameter(text, AttributeNames.RedrivePolicy, $"Invalid value for maxReceiveCount: {count}, valid values are from 1 to {MostReceives} both inclusive.");
            return new RedrivePolicy(queue, max);
        }
    }
}
