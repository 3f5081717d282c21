using System.Text;
using Dragoman.Aws.Http;

namespace Dragoman.Aws.Tests.Http;

public sealed class FormInputTests
{
    [Fact]
    public void Names_and_values_are_decoded() => Assert.Equal("a b&c=ä+", Parse("Message%42ody=a+b%26c%3d%C3%A4%2B").Text("MessageBody"));

    [Fact]
    public void A_broken_escape_stands_for_itself() => Assert.Equal("100%", Parse("Text=100%").Text("Text"));

    [Fact]
    public void Numbered_structures_are_a_list()
    {
        var entries = Parse("E.1.Id=a&E.2.Id=b&E.4.Id=d").Structures("Entries", "E");
        Assert.Equal(["a", "b"], entries.Select(e => e.Text("Id")));
    }

    [Fact]
    public void Numbered_names_and_values_are_a_map() =>
        Assert.Equal([("DelaySeconds", "5"), ("Policy", "")], Parse("Attribute.1.Name=DelaySeconds&Attribute.1.Value=5&Attribute.2.Name=Policy").TextMap("Attributes", "Attribute", "Name", "Value"));

    [Fact]
    public void Maps_of_structures_nest()
    {
        var (key, value) = Assert.Single(Parse("MessageAttribute.1.Name=x&MessageAttribute.1.Value.DataType=String&MessageAttribute.1.Value.StringValue=y").StructureMap("MessageAttributes", "MessageAttribute", "Name", "Value"));
        Assert.Equal(("x", "String", "y"), (key, value.Text("DataType"), value.Text("StringValue")));
    }

    [Fact]
    public void Too_many_parameters_are_refused() =>
        Assert.Equal("MalformedQueryString", Assert.Throws<AwsException>(() => Parse(string.Join('&', Enumerable.Range(0, 20_000).Select(i => $"p{i}=1")))).Code);

    [Fact]
    public void Names_of_more_parts_than_any_parameter_has_are_refused() =>
        Assert.Equal("MalformedQueryString", Assert.Throws<AwsException>(() => Parse(string.Concat(Enumerable.Repeat("a.", 20_000)) + "=1")).Code);

    private static FormInput Parse(string form) => FormInput.Parse("", Encoding.UTF8.GetBytes(form));
}
