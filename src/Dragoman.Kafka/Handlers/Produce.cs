using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Dragoman.Broker.Quotas;
using Dragoman.Broker.Security;
using Dragoman.Broker.Topics;
using Dragoman.Broker.Transactions;
using Dragoman.Kafka.Security;
using Dragoman.Kafka.Sessions;
using Dragoman.Kafka.Topics;
using Dragoman.Kafka.Wire;
using Dragoman.Kafka.Wire.Messages;
using Dragoman.Protocols;
using Dragoman.Storage.Records;

namespace Dragoman.Kafka.Handlers;

/// <summary>
/// Appends record batches, as they came, from the memory they arrived in. Requests overlap: all appends of one are
/// under way before the next request is looked at, so that a client's requests share an fsync and keep their order.
/// </summary>
internal sealed class ProduceHandler : RequestHandler<ProduceRequest, ProduceResponse>
{
    private const short FirstWithZstd = 7;
    private const short FirstWithAbortable = 11;

    public override bool MayOverlap => true;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public override async ValueTask HandleAsync(PendingRequest request)
    {
        var message = Decode(request);
        var response = await HandleAsync(message, request).ConfigureAwait(false);
        if (message.Acks != 0)
        {
            request.Response = response;
            return;
        }
        // Nobody waits for an answer, so the one way to tell of an error is to close, as Kafka does.
        foreach (var topic in response!.Responses)
            foreach (var partition in topic.PartitionResponses)
                if (partition.ErrorCode != ErrorCode.None)
                    throw new ConnectionFailedException($"Produce with acks=0 to {topic.Name}-{partition.Index} failed with {partition.ErrorCode}: {partition.ErrorMessage}");
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    protected override async ValueTask<ProduceResponse?> HandleAsync(ProduceRequest message, PendingRequest request)
    {
        var response = new ProduceResponse { Responses = new(message.TopicData.Count), ThrottleTimeMs = request.Record(QuotaKind.PublishBytes, request.Body.Length) };
        var appends = new Appends();
        var mayTransact = message.TransactionalId is not { } id || request.MayUseTransactionalId(Operations.Write, id);
        foreach (var topicData in message.TopicData)
        {
            var topic = request.Broker.TopicsWithQueues.Find(KafkaTopicNames.Parse(topicData.Name));
            var answers = new List<ProduceResponse.PartitionProduceResponse>(topicData.PartitionData.Count);
            response.Responses.Add(new() { Name = topicData.Name, PartitionResponses = answers });
            var mayWrite = request.MayUseTopic(Operations.Write, topicData.Name);
            foreach (var data in topicData.PartitionData)
            {
                var answer = new ProduceResponse.PartitionProduceResponse { Index = data.Index, BaseOffset = -1 };
                answers.Add(answer);
                if (!mayWrite) (answer.ErrorCode, answer.ErrorMessage) = (ErrorCode.TopicAuthorizationFailed, "The client may not write to this topic.");
                else if (!mayTransact) (answer.ErrorCode, answer.ErrorMessage) = (ErrorCode.TransactionalIdAuthorizationFailed, "The client may not use this transactional id.");
                else if (Check(message, data, topic, request.Version, out var batch) is { } problem) (answer.ErrorCode, answer.ErrorMessage) = problem;
                else appends.Add(answer, Append(message, topic!.Partitions[data.Index], batch));
            }
        }
        await appends.CompleteAsync(request.Version).ConfigureAwait(false);
        return response;
    }

    private static ValueTask<AppendAnswer> Append(ProduceRequest message, IPartitionHandle partition, Memory<byte> batch) =>
        message.TransactionalId is { } name ? partition.AppendAsync(batch, TransactionalId.InDefault(name)) : partition.AppendAsync(batch);

    /// <summary>What is wrong with a partition's data; null if it may be appended.</summary>
    private static (ErrorCode Error, string Message)? Check(
        ProduceRequest message, ProduceRequest.PartitionProduceData data, ITopicHandle? topic, short version, out Memory<byte> batch)
    {
        batch = default;
        if (message.Acks is < -1 or > 1) return (ErrorCode.InvalidRequiredAcks, $"acks is 0, 1 or -1, not {message.Acks}.");
        if (topic is null || (uint)data.Index >= (uint)topic.Partitions.Count) return (ErrorCode.UnknownTopicOrPartition, "There is no such partition.");
        if (data.Records.IsNull || data.Records.Length == 0) return (ErrorCode.InvalidRecord, "The request has no record batch for this partition.");
        // The frame is in one piece, and so are the parts of it.
        MemoryMarshal.TryGetArray(data.Records.Bytes.First, out var bytes);
        batch = bytes;
        if (!RecordBatchHeader.TryRead(batch.Span, out var header)) return (ErrorCode.CorruptMessage, "The record batch is shorter than its header.");
        if (header.Magic != RecordBatchHeader.CurrentMagic)
            return (ErrorCode.InvalidRecord, $"Record batches have format 2 since Produce version 3, not {header.Magic}.");
        if (header.TotalSize < batch.Length) return (ErrorCode.InvalidRecord, "The request has more than one record batch for this partition.");
        if (header.IsTransactional && message.TransactionalId is null)
            return (ErrorCode.TransactionalIdAuthorizationFailed, "The record batch is transactional, and the request has no transactional id.");
        if (header.Codec == CompressionCodec.Zstd && version < FirstWithZstd)
            return (ErrorCode.UnsupportedCompressionType, $"zstd needs Produce version {FirstWithZstd} or later.");
        return null;
    }

    /// <summary>Appends that are under way. Most requests have one, which needs no list.</summary>
    private struct Appends
    {
        private ProduceResponse.PartitionProduceResponse? _firstAnswer;
        private ValueTask<AppendAnswer> _first;
        private List<(ProduceResponse.PartitionProduceResponse Answer, ValueTask<AppendAnswer> Append)>? _more;

        public void Add(ProduceResponse.PartitionProduceResponse answer, ValueTask<AppendAnswer> append)
        {
            if (_firstAnswer is null) (_firstAnswer, _first) = (answer, append);
            else (_more ??= []).Add((answer, append));
        }

        /// <summary>Waits for all of them, also when one fails: the memory they use belongs to the request.</summary>
        public readonly ValueTask CompleteAsync(short version) => _firstAnswer is null ? default : CompleteAsync(version, _firstAnswer, _first, _more);

        [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
        private static async ValueTask CompleteAsync(
            short version,
            ProduceResponse.PartitionProduceResponse firstAnswer,
            ValueTask<AppendAnswer> first,
            List<(ProduceResponse.PartitionProduceResponse Answer, ValueTask<AppendAnswer> Append)>? more)
        {
            Exception? failure = null;
            for (var i = 0; i <= (more?.Count ?? 0); i++)
            {
                var (answer, append) = i == 0 ? (firstAnswer, first) : more![i - 1];
                try
                {
                    Fill(answer, await append.ConfigureAwait(false), version);
                }
#pragma warning disable CA1031 // It is thrown when all are done.
                catch (Exception error)
#pragma warning restore CA1031
                {
                    failure = error;
                }
            }
            if (failure is not null) System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(failure);
        }

        private static void Fill(ProduceResponse.PartitionProduceResponse answer, in AppendAnswer appended, short version)
        {
            answer.ErrorCode = Errors.Of(appended.Status);
            // Producers that know this one need not give up on it (KIP-890).
            if (answer.ErrorCode == ErrorCode.InvalidTxnState && version >= FirstWithAbortable) answer.ErrorCode = ErrorCode.TransactionAbortable;
            answer.BaseOffset = appended.BaseOffset;
            answer.LogAppendTimeMs = appended.LogAppendTime;
            answer.LogStartOffset = appended.StartOffset;
            if (appended.Message is null || answer.ErrorCode == ErrorCode.None) return;
            answer.ErrorMessage = appended.Message;
            foreach (var index in appended.BadRecords ?? []) answer.RecordErrors.Add(new() { BatchIndex = index, BatchIndexErrorMessage = appended.Message });
        }
    }
}
