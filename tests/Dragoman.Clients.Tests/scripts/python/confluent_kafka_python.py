"""Drives a Kafka broker with confluent-kafka-python. The first argument is what to do, the second the broker, the third
a JSON object of options; records come and go as JSON lines with keys and values in base64."""
import base64
import json
import sys
import threading
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TIMESTAMP_CREATE_TIME, TIMESTAMP_LOG_APPEND_TIME, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewPartitions, NewTopic

TIMESTAMP_TYPES = {TIMESTAMP_CREATE_TIME: 0, TIMESTAMP_LOG_APPEND_TIME: 1}


def decode(text):
    return None if text is None else base64.b64decode(text)


def encode(data):
    return None if data is None else base64.b64encode(data).decode()


def say(thing):
    print(json.dumps(thing), flush=True)


def produce(broker, options):
    producer = Producer({
        "bootstrap.servers": broker,
        "compression.type": options.get("codec", "none"),
        "acks": options.get("acks", "all"),
        "enable.idempotence": options.get("idempotent", False),
        "linger.ms": options.get("linger", 20),
        "message.max.bytes": 20_000_000,
    })
    results = []

    def done(error, message):
        results.append({"error": error.name()} if error else {"partition": message.partition(), "offset": message.offset(), "timestamp": message.timestamp()[1]})

    for line in sys.stdin:
        record = json.loads(line)
        more = {} if record["timestamp"] is None else {"timestamp": record["timestamp"]}
        if record["partition"] is not None:
            more["partition"] = record["partition"]
        producer.produce(
            options["topic"],
            key=decode(record["key"]),
            value=decode(record["value"]),
            headers=[(name, decode(value)) for name, value in record["headers"]],
            on_delivery=done,
            **more,
        )
        producer.poll(0)
    if producer.flush(60) > 0:
        raise TimeoutError("Not all was delivered.")
    for result in results:
        say(result)


def consumer_of(broker, options):
    return Consumer({
        "bootstrap.servers": broker,
        "group.id": "none",
        "enable.auto.commit": False,
        "auto.offset.reset": options.get("reset", "error"),
        "isolation.level": options.get("isolation", "read_committed"),
        "check.crcs": True,
        "enable.partition.eof": True,
        "fetch.message.max.bytes": options.get("maxBytes", 1_048_576),
    })


def member(broker, options):
    """A member of a group: tells what it is assigned and what it reads, commits that, and leaves when its input ends."""
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    consumer = Consumer({
        "bootstrap.servers": broker,
        "group.id": options["group"],
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "session.timeout.ms": 6_000,
        "heartbeat.interval.ms": 300,
        "partition.assignment.strategy": options.get("assignor", "range"),
    })

    assigned = set()

    def tell(change, partitions):
        change(p.partition for p in partitions)
        say({"assigned": sorted(assigned)})

    consumer.subscribe(
        [options["topic"]],
        on_assign=lambda _, partitions: tell(assigned.update, partitions),
        on_revoke=lambda _, partitions: tell(assigned.difference_update, partitions),
    )
    while not ended.is_set():
        message = consumer.poll(0.1)
        if message is None:
            continue
        if message.error():
            raise KafkaException(message.error())
        consumer.commit(message, asynchronous=False)
        say({"partition": message.partition(), "offset": message.offset(), "value": encode(message.value())})
    consumer.close()


def transact(broker, options):
    """One transaction with all records of the input, and with offsets of a group if there are any."""
    producer = Producer({"bootstrap.servers": broker, "transactional.id": options["id"]})
    producer.init_transactions(30)
    producer.begin_transaction()
    for line in sys.stdin:
        record = json.loads(line)
        more = {} if record["partition"] is None else {"partition": record["partition"]}
        producer.produce(options["topic"], key=decode(record["key"]), value=decode(record["value"]), **more)
    # An abort would take back what has not been sent yet.
    if producer.flush(30) > 0:
        raise TimeoutError("Not all was delivered.")
    if "group" in options:
        consumer = Consumer({"bootstrap.servers": broker, "group.id": options["group"]})
        offsets = [TopicPartition(options["input"], int(partition), offset) for partition, offset in options["offsets"].items()]
        producer.send_offsets_to_transaction(offsets, consumer.consumer_group_metadata(), 30)
        consumer.close()
    if options["commit"]:
        producer.commit_transaction(30)
    else:
        producer.abort_transaction(30)
    say({})


def consume(broker, options):
    consumer = consumer_of(broker, options)
    partitions = options.get("partitions", [0])
    consumer.assign([TopicPartition(options["topic"], p, options.get("from", 0)) for p in partitions])
    ended = set()
    deadline = time.monotonic() + 60
    while len(ended) < len(partitions):
        if time.monotonic() > deadline:
            raise TimeoutError("The end did not come.")
        message = consumer.poll(1)
        if message is None:
            continue
        if message.error():
            if message.error().code() != KafkaError._PARTITION_EOF:
                raise KafkaException(message.error())
            ended.add(message.partition())
            continue
        kind, timestamp = message.timestamp()
        say({
            "partition": message.partition(), "offset": message.offset(), "timestamp": timestamp, "timestampType": TIMESTAMP_TYPES.get(kind, -1),
            "key": encode(message.key()), "value": encode(message.value()), "headers": [[name, encode(value)] for name, value in message.headers() or []],
        })
    consumer.close()


def copy(broker, options):
    """Writes the values of a partition to standard output, a line each: fast enough for a million of them."""
    consumer = consumer_of(broker, options)
    consumer.assign([TopicPartition(options["topic"], 0, 0)])
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        for message in consumer.consume(num_messages=10_000, timeout=1):
            if message.error():
                if message.error().code() != KafkaError._PARTITION_EOF:
                    raise KafkaException(message.error())
                sys.stdout.buffer.flush()
                consumer.close()
                return
            sys.stdout.buffer.write(message.value())
            sys.stdout.buffer.write(b"\n")
    raise TimeoutError("The end did not come.")


def offsets(broker, options):
    consumer = consumer_of(broker, options)
    times = []
    for at in options["times"]:
        found = consumer.offsets_for_times([TopicPartition(options["topic"], 0, at)], timeout=30)[0].offset
        times.append(None if found < 0 else found)
    low, high = consumer.get_watermark_offsets(TopicPartition(options["topic"], 0), timeout=30)
    say({"beginning": low, "end": high, "times": times})


def admin(broker, options):
    client = AdminClient({"bootstrap.servers": broker})
    topic = options["topic"]
    try:
        if options["action"] == "create":
            client.create_topics([NewTopic(topic, options["partitions"], 1, config=options.get("configs", {}))])[topic].result(30)
        elif options["action"] == "grow":
            client.create_partitions([NewPartitions(topic, options["partitions"])])[topic].result(30)
        elif options["action"] == "delete":
            client.delete_topics([topic], operation_timeout=30)[topic].result(30)
        elif options["action"] == "list":
            say({"topics": list(client.list_topics(timeout=30).topics)})
            return
        elif options["action"] == "describe":
            described = client.list_topics(topic, timeout=30).topics[topic]
            say({"error": described.error.code() if described.error else 0, "partitions": sorted(described.partitions)})
            return
        elif options["action"] == "cluster":
            cluster = client.list_topics(timeout=30)
            say({
                "brokers": [{"node_id": b.id, "host": b.host, "port": b.port} for b in cluster.brokers.values()],
                "controller": cluster.controller_id, "id": cluster.cluster_id,
            })
            return
        elif options["action"] == "groups":
            say({"groups": [g.id for g in client.list_groups(timeout=30)]})
            return
        elif options["action"] == "group":
            group = client.list_groups(options["group"], timeout=30)[0]
            say({"state": group.state, "protocol": group.protocol, "members": len(group.members)})
            return
        elif options["action"] == "groupOffsets":
            consumer = Consumer({"bootstrap.servers": broker, "group.id": options["group"]})
            partitions = client.list_topics(topic, timeout=30).topics[topic].partitions
            committed = consumer.committed([TopicPartition(topic, p) for p in partitions], timeout=30)
            say({c.partition: c.offset for c in committed if c.offset >= 0})
            consumer.close()
            return
        elif options["action"] == "configs":
            resource = ConfigResource("topic", topic)
            say({name: entry.value for name, entry in client.describe_configs([resource])[resource].result(30).items()})
            return
        say({})
    except KafkaException as error:
        say({"error": error.args[0].name()})


if __name__ == "__main__":
    {"produce": produce, "consume": consume, "member": member, "transact": transact, "copy": copy, "offsets": offsets, "admin": admin}[sys.argv[1]](sys.argv[2], json.loads(sys.argv[3]))
