// Drives a Kafka broker with kafkajs. The first argument is what to do, the second the broker, the third a JSON object
// of options; records come and go as JSON lines with keys and values in base64.
const { Kafka, CompressionTypes, CompressionCodecs, logLevel } = require('kafkajs');
const readline = require('readline');

CompressionCodecs[CompressionTypes.Snappy] = require('kafkajs-snappy');

const codecs = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy };
const decode = text => (text === null ? null : Buffer.from(text, 'base64'));
const encode = data => (data === null || data === undefined ? null : Buffer.from(data).toString('base64'));
// What was tried again in vain is wrapped, and what was asked of several groups or partitions is listed.
const codeOf = error =>
  error.type || (error.cause && error.cause.type) || (error.groups && error.groups.map(g => g.error.type).join()) || (error.errors && error.errors.map(codeOf).join()) || error.name;
const say = thing => console.log(JSON.stringify(thing));

async function produce(kafka, options) {
  const producer = kafka.producer({ idempotent: options.idempotent === true, allowAutoTopicCreation: options.autoCreate !== false });
  await producer.connect();
  const messages = [];
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const record = JSON.parse(line);
    // Headers are an object here: a name with several values has an array of them.
    const headers = {};
    for (const [name, value] of record.headers) {
      const seen = headers[name];
      headers[name] = seen === undefined ? decode(value) : [].concat(seen, [decode(value)]);
    }
    messages.push({
      key: decode(record.key),
      value: decode(record.value),
      headers,
      partition: record.partition === null ? undefined : record.partition,
      timestamp: record.timestamp === null ? undefined : String(record.timestamp),
    });
  }
  const acks = options.acks === undefined || options.acks === 'all' ? -1 : Number(options.acks);
  const size = options.batch || 1000;
  for (let i = 0; i < messages.length; i += size) {
    try {
      const results = await producer.send({ topic: options.topic, acks, compression: codecs[options.codec || 'none'], messages: messages.slice(i, i + size) });
      for (const r of results) say({ partition: r.partition, offset: Number(r.baseOffset), timestamp: Number(r.logAppendTime) });
    } catch (error) {
      say({ error: codeOf(error) });
    }
  }
  await producer.disconnect();
}

// A member of a group: tells what it is assigned and what it reads, commits that, and leaves when its input ends.
async function member(kafka, options) {
  const consumer = kafka.consumer({ groupId: options.group, heartbeatInterval: 300, sessionTimeout: 6000, rebalanceTimeout: 20000, metadataMaxAge: 1000 });
  consumer.on(consumer.events.GROUP_JOIN, event => say({ assigned: (event.payload.memberAssignment[options.topic] || []).slice().sort() }));
  await consumer.connect();
  await consumer.subscribe({ topics: [options.topic], fromBeginning: true });
  await consumer.run({
    eachMessage: async ({ partition, message }) => {
      await consumer.commitOffsets([{ topic: options.topic, partition, offset: String(Number(message.offset) + 1) }]);
      say({ partition, offset: Number(message.offset), value: encode(message.value) });
    },
  });
  process.stdin.resume();
  await new Promise(resolve => process.stdin.on('end', resolve));
  await consumer.disconnect();
}

// One transaction with all records of the input, and with offsets of a group if there are any.
async function transact(kafka, options) {
  const producer = kafka.producer({ transactionalId: options.id, idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  const transaction = await producer.transaction();
  const messages = [];
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const record = JSON.parse(line);
    messages.push({ key: decode(record.key), value: decode(record.value), partition: record.partition === null ? undefined : record.partition });
  }
  await transaction.send({ topic: options.topic, acks: -1, messages });
  if (options.group) {
    const partitions = Object.entries(options.offsets).map(([partition, offset]) => ({ partition: Number(partition), offset: String(offset) }));
    await transaction.sendOffsets({ consumerGroupId: options.group, topics: [{ topic: options.input, partitions }] });
  }
  if (options.commit) await transaction.commit();
  else await transaction.abort();
  await producer.disconnect();
  say({});
}

async function consume(kafka, options) {
  const admin = kafka.admin();
  await admin.connect();
  const ends = await admin.fetchTopicOffsets(options.topic);
  await admin.disconnect();
  const consumer = kafka.consumer({ groupId: options.group || `${options.topic}-${process.pid}`, maxBytesPerPartition: options.maxBytes || 1048576, readUncommitted: options.isolation === 'read_uncommitted' });
  await consumer.connect();
  await consumer.subscribe({ topics: [options.topic], fromBeginning: true });
  const left = new Set();
  for (const end of ends) if (Number(end.high) > Math.max(Number(end.low), options.from || 0)) left.add(end.partition);
  let finish;
  const finished = new Promise((resolve, reject) => {
    finish = resolve;
    setTimeout(() => reject(new Error('The end did not come.')), 60000).unref();
  });
  // The last offset may be that of a marker, which nobody is shown: where there are transactions the test says how many come.
  let count = options.count;
  if (left.size === 0) finish();
  await consumer.run({
    autoCommit: options.commit === true,
    eachMessage: async ({ partition, message }) => {
      const end = ends.find(e => e.partition === partition);
      if (Number(message.offset) >= Number(end.high)) return;
      const headers = [];
      for (const [name, value] of Object.entries(message.headers || {})) for (const one of [].concat(value)) headers.push([name, encode(one)]);
      say({
        partition, offset: Number(message.offset), timestamp: Number(message.timestamp), timestampType: null,
        key: encode(message.key), value: encode(message.value), headers,
      });
      if (count !== undefined && --count === 0) finish();
      if (Number(message.offset) === Number(end.high) - 1) {
        left.delete(partition);
        if (left.size === 0) finish();
      }
    },
  });
  if (options.from !== undefined) for (const end of ends) consumer.seek({ topic: options.topic, partition: end.partition, offset: String(options.from) });
  await finished;
  await consumer.disconnect();
}

async function offsets(kafka, options) {
  const admin = kafka.admin();
  await admin.connect();
  const [ends] = await admin.fetchTopicOffsets(options.topic);
  const times = [];
  for (const time of options.times) {
    const [found] = await admin.fetchTopicOffsetsByTimestamp(options.topic, time);
    // kafkajs itself answers with the end where no record is as late as that.
    times.push(Number(found.offset) === Number(ends.high) ? null : Number(found.offset));
  }
  say({ beginning: Number(ends.low), end: Number(ends.high), times });
  await admin.disconnect();
}

async function administer(kafka, options) {
  const admin = kafka.admin();
  await admin.connect();
  const topic = options.topic;
  try {
    if (options.action === 'create') {
      const configEntries = Object.entries(options.configs || {}).map(([name, value]) => ({ name, value }));
      await admin.createTopics({ topics: [{ topic, numPartitions: options.partitions, replicationFactor: 1, configEntries }] }).then(made => {
        if (!made) throw Object.assign(new Error('It was there already.'), { type: 'TOPIC_ALREADY_EXISTS' });
      });
      say({});
    } else if (options.action === 'grow') {
      await admin.createPartitions({ topicPartitions: [{ topic, count: options.partitions }] });
      say({});
    } else if (options.action === 'delete') {
      await admin.deleteTopics({ topics: [topic] });
      say({});
    } else if (options.action === 'list') {
      say({ topics: await admin.listTopics() });
    } else if (options.action === 'describe') {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
      say({ error: 0, partitions: topics[0].partitions.map(p => p.partitionId).sort() });
    } else if (options.action === 'cluster') {
      const cluster = await admin.describeCluster();
      say({ brokers: cluster.brokers.map(b => ({ node_id: b.nodeId, host: b.host, port: b.port })), controller: cluster.controller, id: cluster.clusterId });
    } else if (options.action === 'groups') {
      const { groups } = await admin.listGroups();
      say({ groups: groups.map(g => g.groupId) });
    } else if (options.action === 'group') {
      const { groups } = await admin.describeGroups([options.group]);
      say({ state: groups[0].state, protocol: groups[0].protocol, members: groups[0].members.length });
    } else if (options.action === 'groupOffsets') {
      const [offsets] = await admin.fetchOffsets({ groupId: options.group, topics: [topic] });
      say(Object.fromEntries(offsets.partitions.filter(p => p.offset !== '-1').map(p => [p.partition, Number(p.offset)])));
    } else if (options.action === 'setOffsets') {
      const partitions = Object.entries(options.offsets).map(([partition, offset]) => ({ partition: Number(partition), offset: String(offset) }));
      await admin.setOffsets({ groupId: options.group, topic, partitions });
      say({});
    } else if (options.action === 'resetOffsets') {
      await admin.resetOffsets({ groupId: options.group, topic, earliest: true });
      say({});
    } else if (options.action === 'deleteGroup') {
      await admin.deleteGroups([options.group]);
      say({});
    } else if (options.action === 'deleteRecords') {
      await admin.fetchTopicOffsets(topic); // without which it does not know the leader
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(options.before) }] });
      say({});
    } else if (options.action === 'alter') {
      const configEntries = Object.entries(options.configs).map(([name, value]) => ({ name, value }));
      await admin.alterConfigs({ validateOnly: false, resources: [{ type: 2, name: topic, configEntries }] });
      say({});
    } else if (options.action === 'reassign') {
      await admin.alterPartitionReassignments({ topics: [{ topic, partitionAssignment: [{ partition: 0, replicas: options.replicas }] }] });
      say({});
    } else if (options.action === 'reassignments') {
      const { topics } = await admin.listPartitionReassignments({ topics: [{ topic, partitions: [0] }] });
      say({ topics });
    } else if (options.action === 'configs') {
      const { resources } = await admin.describeConfigs({ includeSynonyms: false, resources: [{ type: 2, name: topic }] });
      say(Object.fromEntries(resources[0].configEntries.map(e => [e.configName, e.configValue])));
    }
  } catch (error) {
    say({ error: codeOf(error) });
  } finally {
    await admin.disconnect();
  }
}

// An exit cuts off what has not reached the pipe yet.
const end = code => process.stdout.write('', () => process.exit(code));

const [, , what, broker, options] = process.argv;
const kafka = new Kafka({ clientId: 'tests', brokers: [broker], logLevel: logLevel.NOTHING, retry: { retries: 3 } });
({ produce, consume, member, transact, offsets, admin: administer })[what](kafka, JSON.parse(options)).then(
  () => end(0),
  error => {
    console.error(error);
    end(1);
  },
);
