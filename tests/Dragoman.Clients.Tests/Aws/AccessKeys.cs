using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using Dragoman.TestKit;

namespace Dragoman.Clients.Tests.Aws;

/// <summary>Access keys of the administrator <c>admin</c>, whose password is <c>secret</c>.</summary>
internal static class AccessKeys
{
    /// <summary>Makes one.</summary>
    public static async Task<(string Key, string Secret)> CreateAsync(DragomanServer server)
    {
        using var http = new HttpClient();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes("admin:secret")));
        using var content = new StringContent("{}", Encoding.UTF8, "application/json");
        using var answer = await http.PostAsync(new Uri($"http://{server.Address("admin")}/_dragoman/v1/users/admin/access-keys"), content);
        var made = JsonNode.Parse(await answer.EnsureSuccessStatusCode().Content.ReadAsStringAsync())!;
        return ((string)made["id"]!, (string)made["secret"]!);
    }
}
