using System.Buffers;
using System.Collections.Immutable;
using Dragoman.Storage.Platform;
using Dragoman.Storage.State;

namespace Dragoman.Broker.Security;

/// <summary>The users and permissions there are: the state machine behind <see cref="Accounts"/>.</summary>
internal sealed class SecurityState : IStateMachine
{
    // Version 2 added permissions for routing keys.
    private const byte Version = 2;

    private enum Kind : byte
    {
        PutUser = 1,
        RemoveUser = 2,
        AddPermission = 3,
        RemovePermission = 4,
        PutTopicPermission = 5,
        RemoveTopicPermission = 6,
    }

    public ImmutableSortedDictionary<string, User> Users { get; private set; } = ImmutableSortedDictionary.Create<string, User>(StringComparer.Ordinal);

    public ImmutableList<Permission> Permissions { get; private set; } = [];

    public ImmutableList<TopicPermission> TopicPermissions { get; private set; } = [];

    /// <summary>The event by which a user comes to be, or is replaced.</summary>
    public static ReadOnlySpan<byte> PutUser(User user)
    {
        var writer = Begin(Kind.PutUser, out var buffer);
        user.Write(writer);
        return buffer.WrittenSpan;
    }

    /// <summary>The event by which a user is gone, with all that was the user's.</summary>
    public static ReadOnlySpan<byte> RemoveUser(string name)
    {
        var writer = Begin(Kind.RemoveUser, out var buffer);
        writer.Text(name);
        return buffer.WrittenSpan;
    }

    /// <summary>The event by which a rule comes to be.</summary>
    public static ReadOnlySpan<byte> AddPermission(Permission permission)
    {
        var writer = Begin(Kind.AddPermission, out var buffer);
        permission.Write(writer);
        return buffer.WrittenSpan;
    }

    /// <summary>The event by which a rule is gone.</summary>
    public static ReadOnlySpan<byte> RemovePermission(Permission permission)
    {
        var writer = Begin(Kind.RemovePermission, out var buffer);
        permission.Write(writer);
        return buffer.WrittenSpan;
    }

    /// <summary>The event by which a permission for routing keys comes to be, or is replaced.</summary>
    public static ReadOnlySpan<byte> PutTopicPermission(TopicPermission permission)
    {
        var writer = Begin(Kind.PutTopicPermission, out var buffer);
        permission.WriteTo(writer);
        return buffer.WrittenSpan;
    }

    /// <summary>The event by which a permission for routing keys is gone.</summary>
    public static ReadOnlySpan<byte> RemoveTopicPermission(TopicPermission permission)
    {
        var writer = Begin(Kind.RemoveTopicPermission, out var buffer);
        permission.WriteTo(writer);
        return buffer.WrittenSpan;
    }

    private static SnapshotWriter Begin(Kind kind, out ArrayBufferWriter<byte> buffer)
    {
        buffer = new ArrayBufferWriter<byte>(256);
        var writer = new SnapshotWriter(buffer);
        writer.Byte(Version);
        writer.Byte((byte)kind);
        return writer;
    }

    public void Apply(ReadOnlySpan<byte> evt)
    {
        var reader = new SnapshotReader(evt);
        reader.Version(Version, "security event");
        switch ((Kind)reader.Byte())
        {
            case Kind.PutUser:
                var user = User.Read(ref reader);
                Users = Users.SetItem(user.Name, user);
                break;
            case Kind.RemoveUser:
                var name = reader.Text();
                Users = Users.Remove(name);
                Permissions = Permissions.RemoveAll(p => p.User == name);
                TopicPermissions = TopicPermissions.RemoveAll(p => p.User == name);
                break;
            case Kind.AddPermission:
                Permissions = Permissions.Add(Permission.Read(ref reader));
                break;
            case Kind.RemovePermission:
                Permissions = Permissions.Remove(Permission.Read(ref reader));
                break;
            case Kind.PutTopicPermission:
                var put = TopicPermission.ReadFrom(ref reader);
                TopicPermissions = TopicPermissions.RemoveAll(p => p.User == put.User && p.Topic == put.Topic).Add(put);
                break;
            case Kind.RemoveTopicPermission:
                var removed = TopicPermission.ReadFrom(ref reader);
                TopicPermissions = TopicPermissions.RemoveAll(p => p.User == removed.User && p.Topic == removed.Topic);
                break;
            case var other:
                throw new CorruptDataException($"A security event of kind {(byte)other} is unknown.");
        }
        reader.End("security event");
    }

    public void WriteSnapshot(IBufferWriter<byte> target)
    {
        var writer = new SnapshotWriter(target);
        writer.Byte(Version);
        writer.Int32(Users.Count);
        foreach (var user in Users.Values) user.Write(writer);
        writer.Int32(Permissions.Count);
        foreach (var permission in Permissions) permission.Write(writer);
        writer.Int32(TopicPermissions.Count);
        foreach (var permission in TopicPermissions) permission.WriteTo(writer);
    }

    public void ReadSnapshot(ReadOnlySpan<byte> source)
    {
        var reader = new SnapshotReader(source);
        var version = reader.Version(Version, "users and permissions");
        var users = Users.Clear().ToBuilder();
        for (var n = reader.Count(); n > 0; n--)
        {
            var user = User.Read(ref reader);
            users.Add(user.Name, user);
        }
        var permissions = ImmutableList.CreateBuilder<Permission>();
        for (var n = reader.Count(); n > 0; n--) permissions.Add(Permission.Read(ref reader));
        var topicPermissions = ImmutableList.CreateBuilder<TopicPermission>();
        for (var n = version < 2 ? 0 : reader.Count(); n > 0; n--) topicPermissions.Add(TopicPermission.ReadFrom(ref reader));
        reader.End("users and permissions");
        TopicPermissions = topicPermissions.ToImmutable();
        Users = users.ToImmutable();
        Permissions = permissions.ToImmutable();
    }
}
