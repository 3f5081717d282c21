"""Counts words exactly once: reads lines in a group, and writes how often each word came in a transaction that also says
how far the lines were read. Tells what it does on standard output: 'begun' and 'committed' with the number of lines.

Ends with 0 when its input ends, with 3 when it is fenced or otherwise cannot go on as this producer, which somebody then
starts anew, and with anything else when something happened that must not. A line 'hold' on its input has it stop in the
middle of a transaction, with everything written and nothing committed, until a line 'go'."""
import collections
import json
import queue
import sys
import threading
import time

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

SUCCEED_ME = 3

# What librdkafka says of a producer that it has given up already.
FATAL = (KafkaError._FATAL, KafkaError._FENCED, KafkaError.INVALID_PRODUCER_EPOCH, KafkaError.FENCED_INSTANCE_ID)


def say(*words):
    print(*words, flush=True)


class Worker:
    def __init__(self, broker, options):
        self.options = options
        self.commands = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()
        self.ended = False
        self.holds = False
        more = {"group.instance.id": options["id"]} if options["static"] else {}
        self.consumer = Consumer({
            "bootstrap.servers": broker,
            "group.id": options["group"],
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "session.timeout.ms": 6_000,
            "heartbeat.interval.ms": 500,
            # A rebalance waits so long for one that does not read on, as those do that are held.
            "max.poll.interval.ms": 10_000,
            "reconnect.backoff.max.ms": 500,
            **more,
        })
        self.producer = Producer({
            "bootstrap.servers": broker,
            "transactional.id": options["id"],
            "transaction.timeout.ms": 30_000,
            "linger.ms": 0,
            "reconnect.backoff.max.ms": 500,
        })

    def listen(self):
        for line in sys.stdin:
            self.commands.put(line.strip())
        self.commands.put("end")

    def obey(self):
        while not self.commands.empty():
            command = self.commands.get()
            self.ended |= command == "end"
            self.holds |= command == "hold"

    def again(self, call):
        """Calls something until it is done or cannot be done: a broker that is being restarted is worth waiting for."""
        while True:
            try:
                return call()
            except KafkaException as error:
                if not error.args[0].retriable():
                    raise
                time.sleep(0.05)

    def run(self):
        self.again(lambda: self.producer.init_transactions(10))
        self.consumer.subscribe([self.options["input"]])
        say("ready")
        while not self.ended:
            self.obey()
            lines = []
            for message in self.consumer.consume(num_messages=100, timeout=0.2):
                if message.error() is None:
                    lines.append(message)
                elif message.error().fatal():
                    raise KafkaException(message.error())
            if lines:
                self.count(lines)
        self.consumer.close()

    def count(self, lines):
        counts = collections.Counter()
        positions = {}
        for line in lines:
            counts.update(word for word in line.value().split(b" ") if word)
            positions[line.topic(), line.partition()] = line.offset() + 1
        self.producer.begin_transaction()
        say("begun", len(lines))
        try:
            for word, times in counts.items():
                self.write(word, b"%d" % times)
            self.again(self.flush)
            offsets = [TopicPartition(topic, partition, offset) for (topic, partition), offset in positions.items()]
            if not self.options["atomic"]:
                # The mistake that the tests must find: a crash here counts the lines twice.
                self.again(lambda: self.producer.commit_transaction(10))
                self.hold()
                self.consumer.commit(offsets=offsets, asynchronous=False)
                say("committed", len(lines))
                return
            self.hold()
            self.again(lambda: self.producer.send_offsets_to_transaction(offsets, self.consumer.consumer_group_metadata(), 10))
            self.again(lambda: self.producer.commit_transaction(10))
            say("committed", len(lines))
        except KafkaException as error:
            if error.args[0].fatal():
                raise
            self.again(lambda: self.producer.abort_transaction(10))
            say("aborted", error.args[0].name())
            self.rewind()

    def write(self, word, value):
        while True:
            try:
                self.producer.produce(self.options["output"], key=word, value=value)
                return
            except BufferError:
                self.producer.poll(0.1)

    def flush(self):
        while self.producer.flush(1) > 0:
            pass

    def hold(self):
        if not self.holds:
            return
        self.holds = False
        say("holding")
        while self.commands.get() not in ("go", "end"):
            pass

    def rewind(self):
        """Goes back to where the group is: what the transaction had read is read again, here or by whoever has it now."""
        try:
            for partition in self.consumer.committed(self.consumer.assignment(), timeout=10):
                if partition.error is not None:
                    raise KafkaException(partition.error)
                self.consumer.seek(TopicPartition(partition.topic, partition.partition, max(partition.offset, 0)))
        except KafkaException as error:
            # It would go on behind what it has not counted. Its successor begins where the group is.
            say("lost", error.args[0].name())
            sys.exit(SUCCEED_ME)


if __name__ == "__main__":
    try:
        Worker(sys.argv[1], json.loads(sys.argv[2])).run()
    except KafkaException as error:
        print(error.args[0].name(), error.args[0].str(), file=sys.stderr, flush=True)
        sys.exit(SUCCEED_ME if error.args[0].fatal() or error.args[0].code() in FATAL else 1)
