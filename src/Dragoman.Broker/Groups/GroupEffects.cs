namespace Dragoman.Broker.Groups;

/// <summary>
/// What a command does to the world outside its group: answers for those who wait, to be given once what they rest on is
/// durable, and whether the group's durable part has changed.
/// </summary>
internal sealed class GroupEffects
{
    private readonly List<Action> _answers = [];

    /// <summary>Whether the group is to be journaled as it now is.</summary>
    public bool Changed { get; set; }

    /// <summary>Notes an answer.</summary>
    public void Answer<T>(TaskCompletionSource<T> waiting, T answer) => _answers.Add(() => waiting.TrySetResult(answer));

    /// <summary>Gives the answers. No lock is held.</summary>
    public void Release()
    {
        foreach (var answer in _answers) answer();
    }
}
