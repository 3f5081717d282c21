using Dragoman.Storage.Records;

namespace Dragoman.Broker.Routing.Matching;

/// <summary>
/// Routing keys are words separated by dots; a route's key is a pattern of words, where <c>*</c> stands for one word and
/// <c>#</c> for any number, none included. The patterns are one trie, which a key is led through word by word.
/// </summary>
internal sealed class PatternMatcher : IRouteMatcher
{
    private readonly Node _root = new();
    private readonly List<Node> _here = [];
    private readonly List<Node> _next = [];
    private int _step;

    public bool DependsOnHeaders => false;

    public bool DependsOnKey => true;

    private sealed class Node
    {
        public Dictionary<string, Node>? Words { get; set; }

        public Node? AnyWord { get; set; }

        public Node? AnyWords { get; set; }

        public List<LiveRoute>? Routes { get; set; }

        /// <summary>Whether a walk that is here may stay here, whatever the next word: the node is behind a <c>#</c>.</summary>
        public bool Stays { get; init; }

        /// <summary>The last step in which a walk came here, so that it is here once.</summary>
        public int Step { get; set; }

        public bool IsEmpty => Words is null && AnyWord is null && AnyWords is null && Routes is null;
    }

    public void Add(LiveRoute route)
    {
        var node = _root;
        var pattern = new WordReader(route.Route.Key);
        while (pattern.Next(out var word))
        {
            node = word switch
            {
                "*" => node.AnyWord ??= new Node(),
                "#" => node.AnyWords ??= new Node { Stays = true },
                _ => Child(node, word.ToString()),
            };
        }
        (node.Routes ??= []).Add(route);
    }

    public void Remove(LiveRoute route) => Remove(_root, new WordReader(route.Route.Key), route);

    public void Match(string routingKey, RecordHeaders headers, List<LiveRoute> found)
    {
        _here.Clear();
        _step++;
        Enter(_root, _here);
        var key = new WordReader(routingKey);
        while (key.Next(out var word))
        {
            _next.Clear();
            _step++;
            foreach (var node in _here)
            {
                if (node.Stays) Enter(node, _next);
                if (node.AnyWord is { } any) Enter(any, _next);
                if (node.Words is { } words && words.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(word, out var next)) Enter(next, _next);
            }
            _here.Clear();
            _here.AddRange(_next);
            if (_here.Count == 0) return;
        }
        foreach (var node in _here)
            if (node.Routes is { } routes) found.AddRange(routes);
    }

    /// <summary>Comes to a node, and to what lies behind a <c>#</c> that stands for no word.</summary>
    private void Enter(Node node, List<Node> nodes)
    {
        for (var at = node; at is not null && at.Step != _step; at = at.AnyWords)
        {
            at.Step = _step;
            nodes.Add(at);
        }
    }

    private static Node Child(Node node, string word)
    {
        node.Words ??= new Dictionary<string, Node>(StringComparer.Ordinal);
        if (!node.Words.TryGetValue(word, out var child)) node.Words[word] = child = new Node();
        return child;
    }

    private static void Remove(Node node, WordReader rest, LiveRoute route)
    {
        if (!rest.Next(out var word))
        {
            node.Routes?.Remove(route);
            if (node.Routes is { Count: 0 }) node.Routes = null;
            return;
        }
        switch (word)
        {
            case "*":
                if (node.AnyWord is null) return;
                Remove(node.AnyWord, rest, route);
                if (node.AnyWord.IsEmpty) node.AnyWord = null;
                break;
            case "#":
                if (node.AnyWords is null) return;
                Remove(node.AnyWords, rest, route);
                if (node.AnyWords.IsEmpty) node.AnyWords = null;
                break;
            default:
                if (node.Words is null || !node.Words.TryGetValue(word.ToString(), out var child)) return;
                Remove(child, rest, route);
                if (child.IsEmpty) node.Words.Remove(word.ToString());
                if (node.Words.Count == 0) node.Words = null;
                break;
        }
    }

    /// <summary>The words of a text: none if it is empty, else one more than it has dots; words may be empty.</summary>
    private ref struct WordReader(ReadOnlySpan<char> text)
    {
        private readonly ReadOnlySpan<char> _text = text;
        private int _at = text.IsEmpty ? -1 : 0;

        public bool Next(out ReadOnlySpan<char> word)
        {
            word = default;
            if (_at < 0) return false;
            var rest = _text[_at..];
            var dot = rest.IndexOf('.');
            word = dot < 0 ? rest : rest[..dot];
            _at = dot < 0 ? -1 : _at + dot + 1;
            return true;
        }
    }
}
