using Dragoman.Storage.Log;

namespace Dragoman.Storage.Journal;

/// <summary>Takes in the entries of commits as they are read back. Positions are those of the file being read.</summary>
internal interface ICommitVisitor
{
    void BeginCommit(long sequence, CommitMode mode);

    void Append(long logId, long baseOffset, int position, BatchFile.Piece[]? pieces, ReadOnlySpan<byte> batch, bool isReference);

    void Event(long stateId, ReadOnlySpan<byte> evt);

    void CreateLog(long logId, LogKind kind);

    void DeleteLog(long logId);

    void AdvanceStart(long logId, long offset);

    void ReserveOffsets(long logId, long offset);

    void CreateState(long stateId);

    void DeleteState(long stateId);

    void CleanStop();
}

/// <summary>Puts fragmented commits together and takes commits apart into entries.</summary>
internal sealed class CommitDecoder(ICommitVisitor visitor)
{
    private readonly List<BatchFile.Piece> _pieces = [];
    private readonly List<(int Start, int Length)> _payloads = [];
    private byte[] _assembled = [];
    private int _assembledLength;
    private bool _inside;

    /// <summary>Visits all commits that end in a round's payload.</summary>
    /// <exception cref="CorruptStoreException">The payload makes no sense although its hash is right.</exception>
    public void Decode(ReadOnlySpan<byte> payload, long payloadPosition)
    {
        var at = 0;
        while (at < payload.Length)
        {
            if (payload.Length - at < EntryFormat.CommitHeaderSize) throw Nonsense(payloadPosition + at);
            var header = EntryFormat.ReadCommitHeader(payload[at..]);
            at += EntryFormat.CommitHeaderSize;
            if ((uint)header.BodyLength > (uint)(payload.Length - at)) throw Nonsense(payloadPosition + at);
            var body = payload.Slice(at, header.BodyLength);
            var first = (header.Flags & EntryFormat.First) != 0;
            var last = (header.Flags & EntryFormat.Last) != 0;
            if (first == _inside) throw Nonsense(payloadPosition + at);
            if (first && last)
            {
                _pieces.Clear();
                _pieces.Add(new BatchFile.Piece((int)payloadPosition + at, body.Length));
                Visit(header, body);
            }
            else
            {
                if (first) Restart();
                Assemble(body, (int)payloadPosition + at);
                _inside = !last;
                if (last) Visit(header, _assembled.AsSpan(0, _assembledLength));
            }
            at += header.BodyLength;
        }
    }

    /// <summary>Forgets a commit of which the last fragment never came: a commit does not cross files.</summary>
    public void EndFile() => Restart();

    private void Restart()
    {
        _inside = false;
        _assembledLength = 0;
        _pieces.Clear();
    }

    private void Assemble(ReadOnlySpan<byte> body, int position)
    {
        if (_assembled.Length < _assembledLength + body.Length)
            Array.Resize(ref _assembled, Math.Max(_assembled.Length * 2, _assembledLength + body.Length));
        body.CopyTo(_assembled.AsSpan(_assembledLength));
        _assembledLength += body.Length;
        _pieces.Add(new BatchFile.Piece(position, body.Length));
    }

    private void Visit(in EntryFormat.CommitHeader commit, ReadOnlySpan<byte> body)
    {
        visitor.BeginCommit(commit.Sequence, commit.Mode);
        _payloads.Clear();
        for (var at = 0; at < body.Length;)
        {
            if (body.Length - at < EntryFormat.EntryHeaderSize) throw Nonsense(_pieces[0].Position + at);
            var entry = EntryFormat.ReadEntryHeader(body[at..]);
            at += EntryFormat.EntryHeaderSize;
            if ((uint)entry.PayloadLength > (uint)(body.Length - at)) throw Nonsense(_pieces[0].Position + at);
            var payload = body.Slice(at, entry.PayloadLength);
            _payloads.Add((at, entry.PayloadLength));
            switch (entry.Kind)
            {
                case EntryKind.Append:
                    VisitAppend(entry, at, entry.PayloadLength, payload, isReference: false);
                    break;
                case EntryKind.AppendReference:
                    var index = payload.Length == sizeof(int) ? BitConverter.ToInt32(payload) : -1;
                    if ((uint)index >= (uint)(_payloads.Count - 1)) throw Nonsense(_pieces[0].Position + at);
                    var (start, length) = _payloads[index];
                    VisitAppend(entry, start, length, body.Slice(start, length), isReference: true);
                    break;
                case EntryKind.Event:
                    visitor.Event(entry.Id, payload);
                    break;
                case EntryKind.CreateLog:
                    if (payload.Length != 1 || !Enum.IsDefined((LogKind)payload[0])) throw Nonsense(_pieces[0].Position + at);
                    visitor.CreateLog(entry.Id, (LogKind)payload[0]);
                    break;
                case EntryKind.DeleteLog:
                    visitor.DeleteLog(entry.Id);
                    break;
                case EntryKind.AdvanceStart:
                    visitor.AdvanceStart(entry.Id, entry.Offset);
                    break;
                case EntryKind.ReserveOffsets:
                    visitor.ReserveOffsets(entry.Id, entry.Offset);
                    break;
                case EntryKind.CreateState:
                    visitor.CreateState(entry.Id);
                    break;
                case EntryKind.DeleteState:
                    visitor.DeleteState(entry.Id);
                    break;
                case EntryKind.CleanStop:
                    visitor.CleanStop();
                    break;
                default:
                    throw Nonsense(_pieces[0].Position + at);
            }
            at += entry.PayloadLength;
        }
    }

    private void VisitAppend(in EntryFormat.EntryHeader entry, int start, int length, ReadOnlySpan<byte> batch, bool isReference)
    {
        var (position, pieces) = CommitPlacement.Locate(_pieces, start, length);
        visitor.Append(entry.Id, entry.Offset, position, pieces, batch, isReference);
    }

    private static CorruptStoreException Nonsense(long position) =>
        new($"The journal holds a round whose content makes no sense at position {position}: it was written by a different release, or by a defect.");
}
