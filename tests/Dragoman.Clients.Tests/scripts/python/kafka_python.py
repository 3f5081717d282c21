"""Drives a Kafka broker with kafka-python. The first argument is what to do, the second the broker, the third a JSON
object of options; records come and go as JSON lines with keys and values in base64."""
import base64
import json
import sys
import threading
import time

from kafka import ConsumerRebalanceListener, KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient, NewPartitions, NewTopic
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from kafka.errors import CommitFailedError, KafkaError

ASSIGNORS = {"range": RangePartitionAssignor, "roundrobin": RoundRobinPartitionAssignor}


def decode(text):
    return None if text is None else base64.b64decode(text)


def encode(data):
    return None if data is None else base64.b64encode(data).decode()


def say(thing):
    print(json.dumps(thing), flush=True)


def produce(broker, options):
    codec = options.get("codec", "none")
    acks = options.get("acks", "all")
    producer = KafkaProducer(
        bootstrap_servers=broker,
        compression_type=None if codec == "none" else codec,
        acks=acks if acks == "all" else int(acks),
        linger_ms=options.get("linger", 20),
        max_request_size=20_000_000,
        max_block_ms=30_000,
    )
    sent = []
    for line in sys.stdin:
        record = json.loads(line)
        sent.append(producer.send(
            options["topic"],
            key=decode(record["key"]),
            value=decode(record["value"]),
            headers=[(name, decode(value)) for name, value in record["headers"]],
            partition=record["partition"],
            timestamp_ms=record["timestamp"],
        ))
    producer.flush(60)
    for future in sent:
        try:
            metadata = future.get(30)
            say({"partition": metadata.partition, "offset": metadata.offset, "timestamp": metadata.timestamp})
        except KafkaError as error:
            say({"error": type(error).__name__})
    producer.close()


def consumer_of(broker, options):
    return KafkaConsumer(
        bootstrap_servers=broker,
        group_id=None,
        auto_offset_reset=options.get("reset", "none"),
        check_crcs=True,
        max_partition_fetch_bytes=options.get("maxBytes", 1_048_576),
        fetch_max_bytes=options.get("maxBytes", 52_428_800),
    )


class Listener(ConsumerRebalanceListener):
    def __init__(self):
        self.assigned = set()

    def on_partitions_revoked(self, revoked):
        self.assigned -= {p.partition for p in revoked}
        say({"assigned": sorted(self.assigned)})

    def on_partitions_assigned(self, assigned):
        self.assigned = {p.partition for p in assigned}
        say({"assigned": sorted(self.assigned)})


def member(broker, options):
    """A member of a group: tells what it is assigned and what it reads, commits that, and leaves when its input ends."""
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    consumer = KafkaConsumer(
        bootstrap_servers=broker,
        group_id=options["group"],
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=6_000,
        heartbeat_interval_ms=300,
        partition_assignment_strategy=[ASSIGNORS[options.get("assignor", "range")]],
        max_poll_records=1,
    )
    consumer.subscribe([options["topic"]], listener=Listener())
    while not ended.is_set():
        for partition, records in consumer.poll(timeout_ms=100).items():
            for r in records:
                try:
                    consumer.commit({partition: OffsetAndMetadata(r.offset + 1, "")})
                except CommitFailedError:
                    continue  # The partition has gone to another member, which reads the record again.
                say({"partition": r.partition, "offset": r.offset, "value": encode(r.value)})
    consumer.close()


def consume(broker, options):
    consumer = consumer_of(broker, options)
    partitions = [TopicPartition(options["topic"], p) for p in options.get("partitions", [0])]
    consumer.assign(partitions)
    for partition in partitions:
        if "from" in options:
            consumer.seek(partition, options["from"])
        else:
            consumer.seek_to_beginning(partition)
    ends = consumer.end_offsets(partitions)
    deadline = time.monotonic() + 60
    while any(consumer.position(p) < ends[p] for p in partitions):
        if time.monotonic() > deadline:
            raise TimeoutError("The end did not come.")
        for records in consumer.poll(timeout_ms=1000).values():
            for r in records:
                say({
                    "partition": r.partition, "offset": r.offset, "timestamp": r.timestamp, "timestampType": r.timestamp_type,
                    "key": encode(r.key), "value": encode(r.value), "headers": [[name, encode(value)] for name, value in r.headers],
                })
    consumer.close()


def offsets(broker, options):
    consumer = consumer_of(broker, options)
    partition = TopicPartition(options["topic"], 0)
    times = []
    for at in options["times"]:
        found = consumer.offsets_for_times({partition: at})[partition]
        times.append(None if found is None else found.offset)
    say({"beginning": consumer.beginning_offsets([partition])[partition], "end": consumer.end_offsets([partition])[partition], "times": times})


def admin(broker, options):
    client = KafkaAdminClient(bootstrap_servers=broker)
    topic = options["topic"]
    try:
        if options["action"] == "create":
            client.create_topics([NewTopic(topic, options["partitions"], 1, topic_configs=options.get("configs", {}))])
        elif options["action"] == "grow":
            client.create_partitions({topic: NewPartitions(options["partitions"])})
        elif options["action"] == "delete":
            client.delete_topics([topic])
        elif options["action"] == "list":
            say({"topics": client.list_topics()})
            return
        elif options["action"] == "describe":
            described = client.describe_topics([topic])[0]
            say({"error": described["error_code"], "partitions": sorted(p["partition"] for p in described["partitions"])})
            return
        elif options["action"] == "cluster":
            cluster = client.describe_cluster()
            say({"brokers": cluster["brokers"], "controller": cluster["controller_id"], "id": cluster["cluster_id"]})
            return
        elif options["action"] == "groups":
            say({"groups": [name for name, _ in client.list_consumer_groups()]})
            return
        elif options["action"] == "group":
            group = client.describe_consumer_groups([options["group"]])[0]
            say({"state": group.state, "protocol": group.protocol, "members": len(group.members)})
            return
        elif options["action"] == "groupOffsets":
            say({p.partition: o.offset for p, o in client.list_consumer_group_offsets(options["group"]).items() if p.topic == topic})
            return
        elif options["action"] == "deleteGroup":
            error = client.delete_consumer_groups([options["group"]])[0][1]
            say({} if error.errno == 0 else {"error": error.__name__})
            return
        elif options["action"] == "alter":
            response = client.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs=options["configs"])])
            say({} if response.resources[0][0] == 0 else {"error": response.resources[0][0]})
            return
        elif options["action"] == "configs":
            response = client.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])[0]
            say({entry[0]: entry[1] for entry in response.resources[0][4]})
            return
        say({})
    except KafkaError as error:
        say({"error": type(error).__name__})


if __name__ == "__main__":
    {"produce": produce, "consume": consume, "member": member, "offsets": offsets, "admin": admin}[sys.argv[1]](sys.argv[2], json.loads(sys.argv[3]))
