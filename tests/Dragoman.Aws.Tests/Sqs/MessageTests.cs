using System.Text;
using Dragoman.Aws.Http;
using Dragoman.Aws.Sqs;
using Dragoman.Aws.Sqs.Messages;
using Dragoman.Broker.Subscriptions;

namespace Dragoman.Aws.Tests.Sqs;

public sealed class MessageTests
{
    [Fact]
    public void A_handle_comes_back_as_it_went()
    {
        var handle = new ReceiptHandle(Guid.NewGuid(), new LeaseToken(1234567890123, 42), 1_893_456_000_123);
        Assert.Equal(handle, ReceiptHandle.Parse(handle.ToString()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("abc")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    [InlineData("!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!")]
    public void What_was_never_a_handle_is_refused(string text) => Assert.Equal("ReceiptHandleIsInvalid", Assert.Throws<AwsException>(() => ReceiptHandle.Parse(text)).Code);

    /// <summary>The hash that real SQS answered for one attribute <c>Foo</c> of type String with the value <c>Bar</c>.</summary>
    [Fact]
    public void Attributes_are_hashed_as_clients_do() =>
        Assert.Equal("ae7155c6026991b6d54b11589678bf9c", AttributeHash.Compute([new MessageAttribute("Foo", "String", Encoding.UTF8.GetBytes("Bar"))]));

    [Theory]
    [InlineData("plain", true)]
    [InlineData("tab\tand\r\nlines", true)]
    [InlineData("bell\a", false)]
    [InlineData("not a character \uFFFE", false)]
    [InlineData("😀", true)]
    public void Only_characters_that_XML_can_carry_are_text(string text, bool isText)
    {
        var utf8 = Encoding.UTF8.GetBytes(text);
        if (isText) MessageText.Check(utf8);
        else Assert.Throws<AwsException>(() => MessageText.Check(utf8));
    }
}
