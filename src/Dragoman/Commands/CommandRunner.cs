namespace Dragoman.Commands;

/// <summary>Runs a command and turns what a person can act on into a message and an exit code.</summary>
internal static class CommandRunner
{
    public static async Task<int> RunAsync(Func<Task<int>> command)
    {
        try
        {
            return await command();
        }
        catch (CommandException error)
        {
            await Console.Error.WriteLineAsync($"dragoman: {error.Message}");
            return error.Code;
        }
    }
}
