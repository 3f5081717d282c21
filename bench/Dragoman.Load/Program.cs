using System.CommandLine;
using Dragoman.Load.Amqp;
using Dragoman.Load.Groups;
using Dragoman.Load.Kafka;
using Dragoman.Load.Management;
using Dragoman.Load.Queues;
using Dragoman.Load.Redis;
using Dragoman.Load.Sqs;
using Dragoman.Load.Startup;
using Dragoman.Load.Storage;

var root = new RootCommand("Puts load on Dragoman, or on a peer, and measures. Results go to standard output and, as JSON, to a file.")
{
    AmqpCommand.Create(),
    AmqpComparison.Create(),
    GroupsCommand.Create(),
    KafkaCommand.Create(),
    ManagementCommand.Create(),
    QueuesCommand.Create(),
    RedisCommand.Create(),
    SqsCommand.Create(),
    StartupCommand.Create(),
    StorageCommand.Create(),
};
return await root.Parse(args).InvokeAsync();
