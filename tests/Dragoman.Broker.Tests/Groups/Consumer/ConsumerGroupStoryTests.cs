using System.Buffers;
using System.Globalization;
using CsCheck;
using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Classic;
using Dragoman.Broker.Groups.Consumer;
using Dragoman.Broker.Groups.Offsets;
using Dragoman.Broker.Topics;
using Dragoman.Storage.Platform;

namespace Dragoman.Broker.Tests.Groups.Consumer;

/// <summary>
/// Random stories of a group that the broker assigns: members of both protocols that lose answers, take their time to
/// give up partitions, die and come back, while topics come and grow and the broker restarts. At no moment may two
/// members that the group knows use one partition; and once the trouble is over, every partition has its member.
/// </summary>
public sealed class ConsumerGroupStoryTests
{
    [Fact]
    public void No_two_members_ever_use_one_partition_and_all_are_used_in_the_end() =>
        Gen.Int[0, int.MaxValue].Sample(seed => new Story(seed).Run(), iter: Stories.Count);

    private sealed class Story
    {
        private const int Session = 45_000;
        private const int Rebalance = 20_000;
        private static readonly GroupName s_name = GroupName.InDefault("g");

        private readonly Random _random;
        private readonly GroupOptions _options = new();
        private readonly FakeTopics _topics = new();
        private readonly List<Client> _clients = [];
        private readonly Dictionary<string, int> _counts = [];
        private ConsumerState _state = new();
        private ConsumerGroup _group;
        private long _now;
        private int _ids;

        public Story(int seed)
        {
            _random = new Random(seed);
            Grow("a");
            Grow("b");
            _group = NewGroup();
        }

        private ConsumerGroup NewGroup() => new(s_name, _state, _options, new ConsumerSettings(Session, null), new TopicView(_topics));

        private void Grow(string topic) => _topics.Set(topic, _counts[topic] = _counts.GetValueOrDefault(topic) + _random.Next(1, 8));

        public void Run()
        {
            for (var i = _random.Next(1, 6); i > 0; i--) _clients.Add(new Client(_clients.Count, _random));
            for (var step = 0; step < 200; step++) Step();
            _clients.RemoveAll(c => c.IsDead);
            for (var i = 0; i < 250; i++)
            {
                foreach (var client in _clients) Act(client, mayFail: false);
                Pass(500);
            }
            Assert.Equal(_clients.Count, _state.Members.Count);
            if (_clients.Count == 0) return;
            Assert.Equal(GroupState.Stable, _state.Standing);
            var read = _clients.SelectMany(c => c.Pattern is null ? c.Topics : _counts.Keys.ToArray()).Distinct().Where(_counts.ContainsKey);
            Assert.Equal(read.Sum(t => _counts[t]), _clients.Sum(c => c.Uses.Count));
            Assert.All(_clients, c => Assert.Equal(_state.Find(c.MemberId)!.Assigned.Order(), c.Uses.Order()));
        }

        private void Step()
        {
            Pass(_random.Next(12) == 0 ? _random.Next(30_000) : _random.Next(1_000));
            switch (_random.Next(40))
            {
                case 0:
                    Restart();
                    break;
                case 1:
                    Grow(_random.Next(3) switch { 0 => "a", 1 => "b", _ => "c" });
                    break;
                case 2 when _counts.Remove("c"):
                    _topics.Remove("c");
                    break;
                case 3:
                    _clients.Add(new Client(_clients.Count, _random));
                    break;
                case 4 when _clients.Count > 0:
                    var dying = _clients[_random.Next(_clients.Count)];
                    dying.IsDead = true;
                    break;
                case 5 when _clients.Count > 0:
                    // A process that starts anew: it has nothing, and knows nothing but who it is.
                    var reborn = _clients[_random.Next(_clients.Count)];
                    reborn.Begin(keepsId: !reborn.IsClassic && _random.Next(2) == 0);
                    reborn.IsDead = false;
                    break;
                case 6 when _clients.Count > 0:
                    Leave(_clients[_random.Next(_clients.Count)]);
                    break;
                case 7 when _clients.Count > 0:
                    var changing = _clients[_random.Next(_clients.Count)];
                    changing.Choose(_random);
                    break;
                default:
                    foreach (var client in _clients) Act(client, mayFail: true);
                    break;
            }
            Check();
        }

        /// <summary>The state is written and read as a snapshot, and all members get a session's time.</summary>
        private void Restart()
        {
            var buffer = new ArrayBufferWriter<byte>();
            _state.ToChange().Write(new SnapshotWriter(buffer));
            Assert.True(buffer.WrittenCount <= _state.ToChange().SizeBound(), "a change is no larger than it says");
            var reader = new SnapshotReader(buffer.WrittenSpan);
            _state = new ConsumerState();
            _state.Apply(ConsumerChange.Read(ref reader));
            reader.End("state");
            _group = NewGroup();
            _group.TakeUp(_now);
        }

        private void Pass(long milliseconds)
        {
            var end = _now + milliseconds;
            for (var rounds = 0; _group.NextDeadline() is var next && next <= end; rounds++)
            {
                Assert.True(rounds < 1000, "time stands still");
                _now = Math.Max(next, _now);
                var draft = new ConsumerDraft(_state);
                _group.RemoveAll(draft, _group.Overdue(_now));
                Journal(draft, null);
            }
            _now = end;
        }

        private void Journal(ConsumerDraft draft, ConsumerMember? touched)
        {
            var before = touched is null ? null : _state.Find(touched.Id);
            if (draft.IsChanged)
            {
                var change = draft.ToChange(0);
                var epoch = _state.Epoch;
                _state.Apply(change);
                Assert.InRange(_state.Epoch, epoch, epoch + 1);
            }
            _group.OnCarriedOut(draft);
            if (touched is not null) _group.Touch(before, touched, _now);
        }

        /// <summary>Of the members that the group knows, no two use one partition.</summary>
        private void Check()
        {
            var users = new Dictionary<GroupPartition, string>();
            foreach (var client in _clients)
            {
                if (client.IsDead || client.MemberId.Length == 0 || _state.Find(client.MemberId) is not { } member || client.Phase == Phase.Out) continue;
                foreach (var partition in client.Uses)
                    Assert.True(users.TryAdd(partition, client.MemberId), $"{partition} is used by {client.MemberId} and {users.GetValueOrDefault(partition)}");
            }
        }

        private void Leave(Client client)
        {
            if (client.IsDead || client.MemberId.Length == 0 || client.Phase == Phase.Out) return;
            if (client.IsClassic)
            {
                var (_, draft) = _group.DecideLeave([new LeavingMember(client.MemberId, null)]);
                if (draft is not null) Journal(draft, null);
            }
            else
            {
                var away = client.Instance is not null && _random.Next(2) == 0;
                var decision = _group.Decide(new ConsumerHeartbeat
                {
                    Group = s_name,
                    MemberId = client.MemberId,
                    InstanceId = client.Instance,
                    Epoch = away ? ConsumerHeartbeat.AwayEpoch : ConsumerHeartbeat.LeaveEpoch,
                }, "");
                if (decision.Draft is not null) Journal(decision.Draft, decision.Member);
            }
            client.Begin(keepsId: false);
            client.IsDead = true;
        }

        private void Act(Client client, bool mayFail)
        {
            if (client.IsDead || (mayFail && _random.Next(6) == 0)) return;
            client.GiveUp(mayFail && _random.Next(3) == 0);
            // A consumer that has yet to take what it was given, and misses the answer that takes it back, says in good
            // faith that it does not have it, and takes it afterwards. KIP-848 has nothing by which a broker could tell, so
            // no member here loses an answer at such a moment.
            var loses = mayFail && _random.Next(20) == 0 && (client.IsClassic || client.HasTakenAll);
            if (client.IsClassic) ActClassic(client, loses);
            else Heartbeat(client, loses);
            Check();
        }

        private void Heartbeat(Client client, bool loses)
        {
            if (client.MemberId.Length == 0) client.MemberId = $"m{++_ids}";
            var joins = client.Phase == Phase.Out;
            // A member that has lost an answer says everything again.
            var isFull = joins || client.HasLost || client.HasChanged;
            var decision = _group.Decide(new ConsumerHeartbeat
            {
                Group = s_name,
                MemberId = client.MemberId,
                InstanceId = client.Instance,
                Epoch = joins ? ConsumerHeartbeat.JoinEpoch : client.Epoch,
                RebalanceTimeoutMs = isFull ? Rebalance : null,
                Topics = isFull ? [.. client.Topics.Select(TopicName.InDefault)] : null,
                TopicPattern = isFull ? client.Pattern ?? "" : null,
                Owned = isFull || client.HasGivenUp ? [.. client.Uses] : null,
            }, "unused");
            if (decision.Draft is not null) Journal(decision.Draft, decision.Member);
            client.HasLost = loses;
            if (loses) return;
            client.HasChanged = false;
            client.HasGivenUp = false;
            var answer = decision.Answer;
            switch (answer.Status)
            {
                case GroupStatus.Ok:
                    client.Phase = Phase.In;
                    client.Epoch = answer.Epoch;
                    if (answer.Assignment is not null) client.Take(answer.Assignment);
                    break;
                case GroupStatus.UnknownMember or GroupStatus.FencedMemberEpoch or GroupStatus.FencedInstance:
                    client.Begin(keepsId: answer.Status != GroupStatus.FencedInstance);
                    break;
                default:
                    Assert.Equal(GroupStatus.UnreleasedInstance, answer.Status);
                    break;
            }
        }

        private void ActClassic(Client client, bool loses)
        {
            var caller = new GroupCaller(client.MemberId, client.Instance, client.Epoch);
            switch (client.Phase)
            {
                case Phase.Out or Phase.Rejoining:
                    client.HasChanged = false;
                    // Cooperative members keep what they have while they join; the others give all up first.
                    if (!client.IsCooperative) client.Uses.Clear();
                    var decision = _group.DecideJoin(new JoinRequest
                    {
                        Group = s_name,
                        MemberId = client.MemberId,
                        InstanceId = client.Instance,
                        SessionTimeoutMs = Session,
                        RebalanceTimeoutMs = Rebalance,
                        ProtocolType = "consumer",
                        Protocols = [new("range", [])],
                        Topics = [.. client.Topics.Select(TopicName.InDefault)],
                        Owned = [.. client.Uses],
                        AwaitsMemberId = true,
                    }, $"m{++_ids}");
                    if (decision.Draft is not null)
                    {
                        Journal(decision.Draft, decision.Member);
                        _group.OnJoined(decision.Member!, _now);
                    }
                    if (loses) return;
                    switch (decision.Answer.Status)
                    {
                        case GroupStatus.Ok:
                            client.MemberId = decision.Answer.MemberId;
                            client.Epoch = decision.Answer.Generation;
                            client.Phase = Phase.Syncing;
                            break;
                        case GroupStatus.MemberIdRequired:
                            client.MemberId = decision.Answer.MemberId;
                            _group.Expect(client.MemberId, _now + Session, _now);
                            break;
                        default:
                            Assert.True(decision.Answer.Status is GroupStatus.FencedInstance or GroupStatus.UnknownMember, decision.Answer.Status.ToString());
                            client.Begin(keepsId: false);
                            break;
                    }
                    break;
                case Phase.Syncing:
                    var synced = _group.Sync(new SyncRequest { Group = s_name, Caller = caller }, _now);
                    if (loses) client.Phase = Phase.Rejoining;
                    else if (synced.Status == GroupStatus.Ok)
                    {
                        client.Phase = Phase.In;
                        var gives = client.Uses.Except(synced.Partitions!).Any();
                        client.Take(synced.Partitions!);
                        client.GiveUp(late: false);
                        // Whoever has given something up joins again, so that others can have it.
                        if (gives) client.Phase = Phase.Rejoining;
                    }
                    else OnClassic(client, synced.Status);
                    break;
                case Phase.In when client.HasChanged:
                    client.Phase = Phase.Rejoining;
                    break;
                case Phase.In:
                    OnClassic(client, _group.Heartbeat(caller, _now));
                    break;
            }
        }

        private static void OnClassic(Client client, GroupStatus status)
        {
            if (status == GroupStatus.RebalanceInProgress) client.Phase = Phase.Rejoining;
            else if (status != GroupStatus.Ok) client.Begin(keepsId: false);
        }
    }

    private enum Phase
    {
        Out,
        Rejoining,
        Syncing,
        In,
    }

    private sealed class Client
    {
        private readonly int _number;
        private IReadOnlyList<GroupPartition> _assigned = [];

        public Client(int number, Random random)
        {
            _number = number;
            IsClassic = random.Next(3) == 0;
            IsCooperative = random.Next(2) == 0;
            Instance = random.Next(3) == 0 ? "i" + number.ToString(CultureInfo.InvariantCulture) : null;
            Choose(random);
        }

        public bool IsClassic { get; }

        public bool IsCooperative { get; }

        public string? Instance { get; }

        public string[] Topics { get; private set; } = [];

        public string? Pattern { get; private set; }

        public string MemberId { get; set; } = "";

        public int Epoch { get; set; }

        public Phase Phase { get; set; }

        public bool IsDead { get; set; }

        public bool HasLost { get; set; }

        public bool HasChanged { get; set; }

        public bool HasGivenUp { get; set; }

        /// <summary>The partitions that it reads at this moment.</summary>
        public HashSet<GroupPartition> Uses { get; } = [];

        public void Choose(Random random)
        {
            Topics = random.Next(3) switch { 0 => ["a"], 1 => ["b", "a"], _ => ["a", "b", "c"] };
            Pattern = !IsClassic && random.Next(4) == 0 ? "[a-z]" : null;
            HasChanged = true;
        }

        public void Begin(bool keepsId)
        {
            if (!keepsId) MemberId = "";
            Phase = Phase.Out;
            Uses.Clear();
            _assigned = [];
            HasLost = false;
        }

        /// <summary>Whether it uses just what it was assigned last.</summary>
        public bool HasTakenAll => Uses.SetEquals(_assigned);

        public void Take(IReadOnlyList<GroupPartition> assigned) => _assigned = assigned;

        /// <summary>Goes to its assignment: gives up first, and says so with its next heartbeat, then takes.</summary>
        public void GiveUp(bool late)
        {
            if (late || Phase != Phase.In) return;
            HasGivenUp |= Uses.RemoveWhere(p => !_assigned.Contains(p)) > 0;
            Uses.UnionWith(_assigned);
        }

        public override string ToString() => $"client {_number} as {MemberId}";
    }
}
