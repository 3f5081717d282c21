using System.Globalization;
using CsCheck;
using Dragoman.Broker.Groups;
using Dragoman.Broker.Groups.Classic;
using Dragoman.Broker.Groups.State;

namespace Dragoman.Broker.Tests.Groups;

/// <summary>
/// Random stories of a classic group: clients that behave as real ones do, and lose answers, stall, die, come back and
/// change their minds, on a broker that may restart. What must hold whatever happens is held against every answer; and
/// once the trouble is over, everybody must have come together.
/// </summary>
public sealed class ClassicGroupStoryTests
{
    [Fact]
    public void Whatever_happens_to_a_group_it_stays_consistent_and_comes_together_in_the_end() =>
        Gen.Int[0, int.MaxValue].Sample(seed => new Story(seed).Run(), iter: Stories.Count);

    private sealed class Story(int seed)
    {
        private const int Session = 10_000;
        private const int Rebalance = 20_000;

        private static readonly GroupName s_name = GroupName.InDefault("g");

        private readonly Random _random = new(seed);
        private readonly GroupOptions _options = new();
        private readonly List<Client> _clients = [];
        private readonly Dictionary<int, (string Leader, string Protocol, HashSet<string> Members)> _generations = [];
        private readonly Dictionary<(int Generation, string Member), string> _shares = [];
        private ClassicRecord? _record;
        private ClassicGroup _group = new(s_name, new GroupOptions());
        private long _now;
        private int _ids;
        private int _life;

        public void Run()
        {
            for (var i = _random.Next(1, 6); i > 0; i--) _clients.Add(new Client(_clients.Count, _random));
            for (var step = 0; step < 150; step++) Step();
            foreach (var client in _clients.Where(c => c.IsDead && c.Joining is not null)) client.Joining = null;
            _clients.RemoveAll(c => c.IsDead);
            // Peace: everybody does what it should, for longer than any time-out.
            for (var i = 0; i < 200; i++)
            {
                foreach (var client in _clients) Act(client, mayFail: false);
                Pass(1_000);
            }
            if (_clients.Count == 0)
            {
                Assert.Equal(ClassicState.Empty, _group.State);
                return;
            }
            Assert.Equal(ClassicState.Stable, _group.State);
            Assert.Equal(_clients.Count, _group.MemberCount);
            Assert.All(_clients, c => Assert.Equal((_group.Generation, Phase.Stable), (c.Generation, c.Phase)));
            Assert.All(_clients, c => Assert.Equal([(byte)c.Said], _group.Find(c.MemberId)!.MetadataFor(_group.Protocol)));
            Assert.Equal(_clients.Count, _clients.Select(c => c.Share).Distinct().Count());
        }

        private void Step()
        {
            if (_random.Next(60) == 0) Restart();
            if (_random.Next(10) == 0) Pass(_random.Next(15_000));
            else Pass(_random.Next(1_500));
            if (_random.Next(25) == 0) _clients.Add(new Client(_clients.Count, _random));
            if (_clients.Count == 0) return;
            var client = _clients[_random.Next(_clients.Count)];
            switch (_random.Next(24))
            {
                case 0:
                    client.IsDead = true;
                    break;
                case 1:
                    client.IsDead = false;
                    client.Forget(keepsId: _random.Next(2) == 0);
                    break;
                case 2 when client.MemberId.Length > 0 && !client.IsDead:
                    var effects = new GroupEffects();
                    _group.Leave([new LeavingMember(client.MemberId, null)], _now, effects);
                    After(effects);
                    client.Forget(keepsId: false);
                    client.IsDead = true;
                    break;
                case 3:
                    client.Said++;
                    if (client.Phase == Phase.Stable) client.Phase = Phase.Out;
                    break;
                default:
                    foreach (var each in _clients) Act(each, mayFail: true);
                    break;
            }
        }

        /// <summary>The broker dies: what was not journaled is gone, and so are all connections.</summary>
        private void Restart()
        {
            _life++;
            _group = _record is null ? new ClassicGroup(s_name, _options) : ClassicGroup.From(s_name, _record, _options, _now);
            foreach (var client in _clients)
            {
                client.Joining = null;
                client.Syncing = null;
                if (client.Phase is Phase.Joining or Phase.Syncing) client.Phase = Phase.Out;
            }
            // A generation that was never assigned may come again, with others in it.
            foreach (var generation in _generations.Keys.Where(g => g > _group.Generation).ToList())
            {
                _generations.Remove(generation);
                foreach (var share in _shares.Keys.Where(s => s.Generation == generation).ToList()) _shares.Remove(share);
            }
        }

        private void Pass(long milliseconds)
        {
            var end = _now + milliseconds;
            for (var rounds = 0; _group.NextDeadline() is var next && next <= end; rounds++)
            {
                Assert.True(rounds < 1000, "time stands still");
                _now = Math.Max(next, _now);
                var effects = new GroupEffects();
                _group.OnTime(_now, effects);
                After(effects);
            }
            _now = end;
        }

        private void After(GroupEffects effects)
        {
            _group.CheckInvariants();
            if (effects.Changed)
            {
                var record = _group.ToRecord(0);
                Assert.True(_record is null || record.Generation >= _record.Generation, "generations only rise");
                _record = record;
            }
            effects.Release();
        }

        private void Act(Client client, bool mayFail)
        {
            if (client.IsDead) return;
            if (mayFail && _random.Next(8) == 0) return;
            var loses = mayFail && _random.Next(30) == 0;
            switch (client.Phase)
            {
                case Phase.Out:
                    Join(client);
                    break;
                case Phase.Joining when loses:
                    client.Joining = null;
                    client.Phase = Phase.Out;
                    break;
                case Phase.Joining when client.Joining!.Task.IsCompleted:
                    OnJoined(client, client.Joining.Task.Result);
                    break;
                case Phase.Syncing when loses:
                    client.Syncing = null;
                    client.Phase = Phase.Out;
                    break;
                case Phase.Syncing when client.Syncing!.Task.IsCompleted:
                    OnSynced(client, client.Syncing.Task.Result);
                    break;
                case Phase.Stable:
                    OnHeard(client, _group.Heartbeat(new GroupCaller(client.MemberId, client.Instance, client.Generation), _now));
                    break;
            }
        }

        private void Join(Client client)
        {
            var request = new JoinRequest
            {
                Group = s_name,
                MemberId = client.MemberId,
                InstanceId = client.Instance,
                SessionTimeoutMs = Session,
                RebalanceTimeoutMs = Rebalance,
                ProtocolType = "consumer",
                Protocols = [.. client.Protocols.Select(p => new GroupProtocol(p, [(byte)client.Said]))],
                AwaitsMemberId = client.AwaitsId,
                CanSkipAssignment = true,
            };
            client.SaidAtJoin = client.Said;
            client.Joining = new TaskCompletionSource<JoinAnswer>();
            client.Phase = Phase.Joining;
            var effects = new GroupEffects();
            _group.Join(request, client.Joining, $"m{++_ids}", _now, effects);
            After(effects);
        }

        private void OnJoined(Client client, JoinAnswer answer)
        {
            client.Joining = null;
            client.Phase = Phase.Out;
            switch (answer.Status)
            {
                case GroupStatus.MemberIdRequired:
                    client.MemberId = answer.MemberId;
                    return;
                case GroupStatus.UnknownMember or GroupStatus.FencedInstance:
                    client.MemberId = "";
                    return;
                case GroupStatus.RebalanceInProgress:
                    return;
            }
            Assert.Equal(GroupStatus.Ok, answer.Status);
            Assert.Contains(answer.Protocol, client.Protocols);
            client.MemberId = answer.MemberId;
            client.Generation = answer.Generation;
            if (_generations.TryGetValue(answer.Generation, out var known)) Assert.Equal(known.Protocol, answer.Protocol);
            else _generations[answer.Generation] = known = (answer.Leader, answer.Protocol!, []);
            known.Members.Add(answer.MemberId);
            var leads = answer.Leader == answer.MemberId;
            if (leads && !answer.SkipAssignment)
            {
                Assert.Contains(answer.MemberId, answer.Members.Select(m => m.MemberId));
                Assert.Equal(answer.Members.Count, answer.Members.Select(m => m.MemberId).Distinct().Count());
            }
            if (!leads) Assert.Empty(answer.Members);
            client.Syncing = new TaskCompletionSource<SyncAnswer>();
            client.Phase = Phase.Syncing;
            var shares = leads && !answer.SkipAssignment
                ? answer.Members.Select(m => KeyValuePair.Create(m.MemberId, new GroupShare(BitConverter.GetBytes(_random.Next()), null))).ToList()
                : [];
            var before = _group.State;
            var effects = new GroupEffects();
            _group.Sync(new SyncRequest { Group = s_name, Caller = new GroupCaller(client.MemberId, client.Instance, client.Generation), Shares = shares }, client.Syncing, _now, effects);
            if (before == ClassicState.CompletingRebalance && _group.State == ClassicState.Stable)
                foreach (var (member, share) in shares) _shares[(client.Generation, member)] = Convert.ToHexString(share.Data);
            After(effects);
        }

        private void OnSynced(Client client, SyncAnswer answer)
        {
            client.Syncing = null;
            client.Phase = Phase.Out;
            OnHeard(client, answer.Status);
            if (answer.Status != GroupStatus.Ok) return;
            client.Phase = client.SaidAtJoin == client.Said ? Phase.Stable : Phase.Out;
            client.Share = Convert.ToHexString(answer.Assignment) is { Length: > 0 } share ? share : client.MemberId;
            // A static member that took its place again has the share of its earlier self.
            if (client.Instance is null && _shares.TryGetValue((client.Generation, client.MemberId), out var dealt)) Assert.Equal(dealt, client.Share);
        }

        private static void OnHeard(Client client, GroupStatus status)
        {
            switch (status)
            {
                case GroupStatus.Ok:
                    break;
                case GroupStatus.RebalanceInProgress:
                    client.Phase = Phase.Out;
                    break;
                case GroupStatus.IllegalGeneration or GroupStatus.UnknownMember or GroupStatus.FencedInstance:
                    client.Phase = Phase.Out;
                    client.MemberId = "";
                    break;
                default:
                    Assert.Fail(status.ToString());
                    break;
            }
        }
    }

    private enum Phase
    {
        Out,
        Joining,
        Syncing,
        Stable,
    }

    private sealed class Client(int number, Random random)
    {
        public string? Instance { get; } = random.Next(3) == 0 ? "i" + number.ToString(CultureInfo.InvariantCulture) : null;

        public string[] Protocols { get; } = random.Next(3) switch { 0 => ["range", "sticky"], 1 => ["sticky", "range"], _ => ["range"] };

        public bool AwaitsId { get; } = random.Next(2) == 0;

        public int Said { get; set; }

        public int SaidAtJoin { get; set; }

        public string MemberId { get; set; } = "";

        public int Generation { get; set; } = -1;

        public string Share { get; set; } = "";

        public Phase Phase { get; set; }

        public bool IsDead { get; set; }

        public TaskCompletionSource<JoinAnswer>? Joining { get; set; }

        public TaskCompletionSource<SyncAnswer>? Syncing { get; set; }

        public void Forget(bool keepsId)
        {
            if (!keepsId) MemberId = "";
            Phase = Phase.Out;
            Joining = null;
            Syncing = null;
        }
    }
}
