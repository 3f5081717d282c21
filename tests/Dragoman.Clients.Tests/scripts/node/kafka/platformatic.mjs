// Stories with @platformatic/kafka: a client that has the protocol from Kafka's own definitions, the newest versions
// included. The arguments are which story, and the broker.
import assert from 'node:assert/strict';
import { Admin, Connection, Consumer, FetchIsolationLevels, Producer, alterPartitionReassignmentsV0, describeClusterV1, describeProducersV0, describeQuorumV2, describeTopicPartitionsV0, describeTransactionsV0, listPartitionReassignmentsV0, listTransactionsV1, stringDeserializers, stringSerializers } from '@platformatic/kafka';

const [, , story, broker] = process.argv;
const [host, port] = [broker.split(':')[0], Number(broker.split(':')[1])];
const common = { clientId: 'stories', bootstrapBrokers: [broker], retries: 3, timeout: 15000 };
const unique = prefix => `${prefix}-${process.pid}-${Date.now()}`;
const number = value => Number(value);

async function until(isSo, what) {
  for (const end = Date.now() + 60000; !(await isSo()); ) {
    if (Date.now() > end) throw new Error(`Waited in vain: ${what}.`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

async function withAdmin(run) {
  const admin = new Admin(common);
  try {
    return await run(admin);
  } finally {
    await admin.close();
  }
}

async function createTopic(partitions) {
  const topic = unique('t');
  await withAdmin(admin => admin.createTopics({ topics: [topic], partitions, replicas: 1 }));
  return topic;
}

async function send(topic, messages) {
  const producer = new Producer({ ...common, serializers: stringSerializers });
  await producer.send({ acks: -1, messages: messages.map((value, i) => ({ topic, value, partition: i % 4 })) });
  await producer.close();
}

class Member {
  constructor(group, groupProtocol) {
    this.read = [];
    this.assigned = [];
    this.consumer = new Consumer({
      ...common, groupId: group, groupProtocol, deserializers: stringDeserializers, autocommit: false, maxWaitTime: 200,
      sessionTimeout: 6000, heartbeatInterval: 500, rebalanceTimeout: 10000, isolationLevel: FetchIsolationLevels.READ_COMMITTED,
    });
  }

  async start(topic) {
    this.topic = topic;
    this.stream = await this.consumer.consume({ topics: [topic], mode: 'committed', fallbackMode: 'earliest' });
    this.stream.on('data', async message => {
      this.read.push(message.value);
      await message.commit();
    });
    return this;
  }

  get partitions() {
    const mine = (this.consumer.assignments || []).find(a => a.topic === this.topic);
    return mine ? mine.partitions : [];
  }

  async leave() {
    await this.stream.close();
    await this.consumer.close(true);
  }
}

// Two members share a topic, one leaves, the other one has all of it; who comes next goes on where they were.
async function group(groupProtocol) {
  const topic = await createTopic(4);
  const name = unique('g');
  const first = await new Member(name, groupProtocol).start(topic);
  await until(() => first.partitions.length === 4, 'the first has all partitions');
  await send(topic, ['a', 'b', 'c', 'd']);
  await until(() => first.read.length === 4, 'the first reads all there is');
  const second = await new Member(name, groupProtocol).start(topic);
  await until(() => first.partitions.length === 2 && second.partitions.length === 2, 'both have their halves');
  assert.deepEqual([...first.partitions, ...second.partitions].sort(), [0, 1, 2, 3]);
  await send(topic, ['e', 'f', 'g', 'h']);
  await until(() => first.read.length + second.read.length >= 8, 'both read what is theirs');
  await withAdmin(async admin => {
    const groups = await admin.listGroups({ types: [groupProtocol] });
    assert.equal(groups.get(name).groupType.toLowerCase(), groupProtocol);
  });
  await second.leave();
  await until(() => first.partitions.length === 4, 'the first has all partitions again');
  await first.leave();
  const read = [...first.read, ...second.read];
  assert.deepEqual([...new Set(read)].sort(), ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
  await withAdmin(async admin => {
    const [offsets] = await admin.listConsumerGroupOffsets({ groups: [name] });
    assert.deepEqual(offsets.topics[0].partitions.map(p => number(p.committedOffset)), [2, 2, 2, 2]);
    await admin.deleteGroups({ groups: [name] });
    assert.equal((await admin.listGroups({ types: [groupProtocol] })).has(name), false);
  });
}

async function transactions() {
  const topic = await createTopic(4);
  const id = unique('x');
  const producer = new Producer({ ...common, idempotent: true, transactionalId: id, serializers: stringSerializers });
  const connection = new Connection('stories', common);
  await connection.connect(host, port);
  for (const [value, ends] of [['kept', 'commit'], ['dropped', 'abort'], ['kept too', 'commit']]) {
    const transaction = await producer.beginTransaction();
    await transaction.send({ messages: [0, 1, 2, 3].map(partition => ({ topic, value, partition })) });
    // Who looks from outside sees it.
    const listed = await listTransactionsV1.api.async(connection, ['Ongoing'], [], -1n, null);
    assert.ok(listed.transactionStates.some(t => t.transactionalId === id && t.transactionState === 'Ongoing'));
    const [described] = (await describeTransactionsV0.api.async(connection, [id])).transactionStates;
    assert.deepEqual(described.topics.map(t => [t.topic, [...t.partitions].sort()]), [[topic, [0, 1, 2, 3]]]);
    const [partition] = (await describeProducersV0.api.async(connection, [{ name: topic, partitionIndexes: [0] }])).topics[0].partitions;
    const open = partition.activeProducers.find(p => p.producerId === described.producerId);
    assert.ok(number(open.currentTxnStartOffset) >= 0);
    await transaction[ends]();
  }
  assert.deepEqual((await listTransactionsV1.api.async(connection, ['Ongoing'], [], -1n, null)).transactionStates.filter(t => t.transactionalId === id), []);
  await connection.close();
  await producer.close();
  const reader = await new Member(unique('g'), 'classic').start(topic);
  await until(() => reader.read.length === 8, 'what was committed is read');
  assert.deepEqual([...reader.read].sort(), [...Array(4).fill('kept'), ...Array(4).fill('kept too')]);
  await reader.leave();
}

async function administration() {
  const topic = await createTopic(4);
  await send(topic, ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']);
  await withAdmin(async admin => {
    assert.ok((await admin.listTopics()).includes(topic));
    const [logs] = await admin.describeLogDirs({ topics: [{ name: topic, partitions: [0, 1, 2, 3] }] });
    const [directory] = logs.results;
    assert.deepEqual(directory.topics[0].partitions.map(p => p.partitionIndex).sort(), [0, 1, 2, 3]);
    for (const partition of directory.topics[0].partitions) assert.ok(number(partition.partitionSize) > 0 && !partition.isFutureKey);
    const resource = { resourceType: 2, resourceName: topic };
    await admin.incrementalAlterConfigs({ resources: [{ ...resource, configs: [{ name: 'retention.ms', configOperation: 0, value: '123456' }] }], validateOnly: false });
    const [configs] = await admin.describeConfigs({ resources: [resource] });
    assert.equal(configs.configs.find(c => c.name === 'retention.ms').value, '123456');
    assert.ok(configs.configs.length > 30);
    const [deleted] = await admin.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 1n }] }] });
    assert.equal(number(deleted.partitions[0].lowWatermark), 1);
    const [offsets] = await admin.listOffsets({ topics: [{ name: topic, partitions: [{ partitionIndex: 0, timestamp: -2n }, { partitionIndex: 1, timestamp: -1n }] }] });
    assert.deepEqual(offsets.partitions.map(p => number(p.offset)), [1, 2]);
    const entities = [{ entityType: 'client-id', entityName: topic }];
    await admin.alterClientQuotas({ entries: [{ entities, ops: [{ key: 'producer_byte_rate', value: 1000000, remove: false }] }] });
    const [quota] = await admin.describeClientQuotas({ components: [{ entityType: 'client-id', matchType: 0, match: topic }], strict: false });
    assert.deepEqual(quota.values, [{ key: 'producer_byte_rate', value: 1000000 }]);
  });
  const connection = new Connection('stories', common);
  await connection.connect(host, port);
  const cluster = await describeClusterV1.api.async(connection, false, 1);
  assert.deepEqual(cluster.brokers.map(b => [b.brokerId, b.host, b.port]), [[1, host, port]]);
  const quorum = await describeQuorumV2.api.async(connection, [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]);
  assert.equal(quorum.topics[0].partitions[0].leaderId, 1);
  assert.deepEqual(quorum.topics[0].partitions[0].currentVoters.map(v => v.replicaId), [1]);
  const partitions = await describeTopicPartitionsV0.api.async(connection, [{ name: topic }], 100, undefined);
  assert.deepEqual(partitions.topics[0].partitions.map(p => [p.partitionIndex, p.leaderId, p.replicaNodes]), [0, 1, 2, 3].map(p => [p, 1, [1]]));
  assert.deepEqual((await listPartitionReassignmentsV0.api.async(connection, 10000, [{ name: topic, partitionIndexes: [0] }])).topics, []);
  await assert.rejects(alterPartitionReassignmentsV0.api.async(connection, 10000, [{ name: topic, partitions: [{ partitionIndex: 0, replicas: [2, 3] }] }]));
  await connection.close();
  await withAdmin(admin => admin.deleteTopics({ topics: [topic] }));
}

const stories = { 'classic group': () => group('classic'), 'consumer group': () => group('consumer'), transactions, administration };
try {
  await stories[story]();
  process.exit(0);
} catch (error) {
  console.error(error, error.errors);
  process.exit(1);
}
