// Drives an AMQP broker with @cloudamqp/amqp-client. The first argument is a story, the second the port.
import assert from 'node:assert';
import { AMQPClient, AMQPSession } from '@cloudamqp/amqp-client';

const [, , story, port] = process.argv;
const url = `amqp://guest:guest@127.0.0.1:${port}`;
const unique = prefix => `${prefix}-${process.pid}-${Math.random().toString(16).slice(2, 10)}`;

/** Takes so many messages of a consumer. */
function take(channel, queue, count, params = { noAck: true }, each = () => {}) {
  return new Promise((resolve, reject) => {
    const messages = [];
    channel.basicConsume(queue, params, message => {
      messages.push(message);
      each(message);
      if (messages.length === count) resolve(messages);
    }).catch(reject);
  });
}

const stories = {
  async messages(client) {
    const channel = await client.channel();
    await channel.confirmSelect();
    const { name } = await channel.queueDeclare('', { exclusive: true });
    const properties = { contentType: 'text/plain', headers: { a: 1, b: 'two', c: [true, { d: 4.5 }] }, deliveryMode: 2, priority: 3, correlationId: 'c', messageId: 'm', timestamp: new Date(1_700_000_000_000) };
    const tags = [];
    for (let i = 0; i < 50; i++) tags.push(await channel.basicPublish('', name, `${i}`, properties));
    assert.deepStrictEqual(tags, Array.from({ length: 50 }, (_, i) => i + 1));
    const got = await channel.basicGet(name, { noAck: true });
    assert.deepStrictEqual([got.bodyString(), got.messageCount], ['0', 49]);
    assert.deepStrictEqual({ ...got.properties }, properties);
    const rest = await take(channel, name, 49);
    assert.deepStrictEqual(rest.map(m => m.bodyString()), Array.from({ length: 49 }, (_, i) => `${i + 1}`));
    const returned = new Promise(resolve => { channel.onReturn = resolve; });
    await channel.basicPublish('amq.direct', 'nowhere', 'lost', {}, true);
    assert.strictEqual((await returned).replyText, 'NO_ROUTE');
    const large = 'x'.repeat(1_000_000);
    await channel.basicPublish('', name, large);
  },

  async work(client) {
    const channel = await client.channel();
    const { name } = await channel.queueDeclare(unique('work'), { durable: true });
    for (let i = 0; i < 4; i++) await channel.basicPublish('', name, `${i}`);
    await channel.basicQos(1);
    const seen = [];
    await new Promise((resolve, reject) => {
      channel.basicConsume(name, { noAck: false }, async message => {
        seen.push([message.bodyString(), message.redelivered]);
        if (seen.length === 2) await message.nack(true);
        else await message.ack();
        if (seen.length === 5) resolve();
      }).catch(reject);
    });
    assert.deepStrictEqual(seen, [['0', false], ['1', false], ['1', true], ['2', false], ['3', false]]);
    await channel.queueDelete(name);
  },

  async transactions(client) {
    const channel = await client.channel();
    const { name } = await channel.queueDeclare('', { exclusive: true });
    await channel.txSelect();
    await channel.basicPublish('', name, 'no');
    await channel.txRollback();
    await channel.basicPublish('', name, 'yes');
    assert.strictEqual((await channel.queueDeclare(name, { passive: true })).messageCount, 0);
    await channel.txCommit();
    const got = await channel.basicGet(name, { noAck: false });
    assert.strictEqual(got.bodyString(), 'yes');
    await got.ack();
    await channel.txRollback();
    await channel.basicAck(got.deliveryTag);
    await channel.txCommit();
    assert.strictEqual((await channel.queueDeclare(name, { passive: true })).messageCount, 0);
  },

  async errors(client) {
    const channel = await client.channel();
    await assert.rejects(channel.queueDeclare('not-there', { passive: true }), /NOT_FOUND - no queue 'not-there' in vhost '\/' \(404\)/);
    const other = await client.channel();
    await assert.rejects(other.exchangeDelete('amq.topic'), /ACCESS_REFUSED/);
    const third = await client.channel();
    const { name } = await third.queueDeclare('', { exclusive: true });
    assert.match(name, /^amq\.gen-/);
    await assert.rejects(new AMQPClient(`amqp://guest:guest@127.0.0.1:${port}/nowhere`).connect(), /vhost nowhere not found/);
  },

  async streams(client) {
    const channel = await client.channel();
    await channel.confirmSelect();
    const { name } = await channel.queueDeclare(unique('stream'), { durable: true }, { 'x-queue-type': 'stream' });
    for (let i = 0; i < 20; i++) await channel.basicPublish('', name, `${i}`);
    for (const [from, count] of [['first', 20], [15, 5]]) {
      const reading = await client.channel();
      await reading.basicQos(3);
      const messages = await take(reading, name, count, { noAck: false, args: { 'x-stream-offset': from } }, message => message.ack());
      assert.deepStrictEqual(messages.map(m => Number(m.properties.headers['x-stream-offset'])), Array.from({ length: count }, (_, i) => 20 - count + i));
      await reading.close();
    }
    await channel.queueDelete(name);
  },

  async heartbeats() {
    // This client gives up after a second in which nothing came.
    const client = new AMQPClient(`${url}?heartbeat=1`);
    const connection = await client.connect();
    const channel = await connection.channel();
    await new Promise(resolve => setTimeout(resolve, 4000));
    assert.strictEqual(connection.closed, false);
    await channel.queueDeclare('', { exclusive: true });
    await connection.close();
  },

  async questions() {
    const session = await AMQPSession.connect(url);
    const name = unique('rpc');
    const server = await session.rpcServer(name, message => message.bodyString().toUpperCase());
    for (const question of ['one', 'two', 'three']) assert.strictEqual((await session.rpcCall(name, question)).bodyString(), question.toUpperCase());
    await server.close();
    await session.stop();
  },
};

try {
  if (stories[story].length === 0) {
    await stories[story]();
  } else {
    const client = new AMQPClient(url);
    await client.connect();
    await stories[story](client);
    await client.close();
  }
} catch (error) {
  console.error(error);
  process.exit(1);
}
