// Drives an AMQP broker with amqplib. The first argument is a story, the second the port. A story asserts what it sees.
const amqp = require('amqplib');
const assert = require('node:assert');

const port = process.argv[3];
const unique = prefix => `${prefix}-${process.pid}-${Math.random().toString(16).slice(2, 10)}`;
const text = message => message.content.toString();

/** Takes messages of a consumer, to be asked for one by one. */
async function inbox(channel, queue, options) {
  const waiting = [];
  const come = [];
  const { consumerTag } = await channel.consume(queue, message => {
    if (waiting.length > 0) waiting.shift()(message);
    else come.push(message);
  }, options);
  return { consumerTag, come, next: () => new Promise(resolve => (come.length > 0 ? resolve(come.shift()) : waiting.push(resolve))) };
}

/** Waits for the error that closes a channel. */
async function failure(connection, action) {
  const channel = await connection.createChannel();
  const closed = new Promise(resolve => channel.on('error', resolve));
  action(channel).catch(() => {});
  const error = await closed;
  return `${error.code} ${/"(.*)"$/.exec(error.message)[1]}`;
}

const stories = {
  async confirms(connection) {
    const channel = await connection.createConfirmChannel();
    const { queue } = await channel.assertQueue(unique('confirms'));
    const returned = new Promise(resolve => channel.on('return', resolve));
    for (let i = 0; i < 300; i++) channel.sendToQueue(queue, Buffer.from(`${i}`), { persistent: true });
    await channel.waitForConfirms();
    assert.strictEqual((await channel.checkQueue(queue)).messageCount, 300);
    channel.publish('', 'nowhere', Buffer.from('lost'), { mandatory: true });
    await channel.waitForConfirms();
    assert.strictEqual((await returned).fields.replyText, 'NO_ROUTE');
    const full = unique('full');
    await channel.assertQueue(full, { maxLength: 1, arguments: { 'x-overflow': 'reject-publish' } });
    const refused = await Promise.allSettled([0, 1].map(i => new Promise((resolve, reject) => channel.sendToQueue(full, Buffer.from(`${i}`), {}, error => (error ? reject(error) : resolve())))));
    assert.deepStrictEqual(refused.map(r => r.status), ['fulfilled', 'rejected']);
    assert.strictEqual((await channel.purgeQueue(queue)).messageCount, 300);
    assert.strictEqual((await channel.deleteQueue(queue)).messageCount, 0);
  },

  async workers(connection) {
    const channel = await connection.createConfirmChannel();
    const { queue } = await channel.assertQueue(unique('work'));
    for (let i = 0; i < 6; i++) channel.sendToQueue(queue, Buffer.from(`${i}`), { headers: { n: i, deep: { list: [1, 'two', true, null] } }, messageId: `m${i}` });
    await channel.waitForConfirms();
    await channel.prefetch(2);
    const tasks = await inbox(channel, queue);
    const [first, second] = [await tasks.next(), await tasks.next()];
    assert.deepStrictEqual([text(first), text(second), tasks.come.length], ['0', '1', 0]);
    assert.deepStrictEqual(second.properties.headers, { n: 1, deep: { list: [1, 'two', true, null] } });
    channel.nack(second, false, true);
    const again = await tasks.next();
    assert.deepStrictEqual([text(again), again.fields.redelivered, again.properties.messageId], ['1', true, 'm1']);
    channel.ack(again, true);
    assert.deepStrictEqual([text(await tasks.next()), text(await tasks.next())], ['2', '3']);
    await channel.cancel(tasks.consumerTag);
    const other = await connection.createChannel();
    await channel.recover();
    const got = await other.get(queue);
    assert.deepStrictEqual([text(got), got.fields.redelivered, got.fields.messageCount], ['2', true, 3]);
    await channel.close();
    other.ack(got);
    await other.deleteQueue(queue);
  },

  async exchanges(connection) {
    const channel = await connection.createConfirmChannel();
    const name = unique('x');
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.assertExchange(`${name}-rest`, 'fanout', { autoDelete: true });
    await channel.assertExchange(name, 'topic', { alternateExchange: `${name}-rest` });
    await channel.assertExchange(`${name}-inner`, 'headers', { internal: true });
    await channel.bindExchange(`${name}-inner`, name, 'h.#');
    await channel.bindQueue(queue, name, 'a.*.c');
    await channel.bindQueue(queue, `${name}-rest`, '');
    await channel.bindQueue(queue, `${name}-inner`, '', { 'x-match': 'all', kind: 'good', level: 3 });
    channel.publish(name, 'a.b.c', Buffer.from('topic'));
    channel.publish(name, 'elsewhere', Buffer.from('alternate'));
    channel.publish(name, 'h.1', Buffer.from('headers'), { headers: { kind: 'good', level: 3 } });
    channel.publish(name, 'h.2', Buffer.from('no'), { headers: { kind: 'good' } });
    const copy = (await channel.assertQueue('', { exclusive: true })).queue;
    channel.publish('', queue, Buffer.from('copied'), { CC: [copy] });
    await channel.waitForConfirms();
    const got = [];
    for (let m; (m = await channel.get(queue, { noAck: true }));) got.push(text(m));
    assert.deepStrictEqual(got, ['topic', 'alternate', 'headers', 'copied']);
    assert.strictEqual(text(await channel.get(copy, { noAck: true })), 'copied');
    await channel.unbindQueue(queue, name, 'a.*.c');
    await channel.deleteExchange(name);
    await channel.deleteExchange(`${name}-inner`);
  },

  async errors(connection) {
    const queue = unique('errors');
    const channel = await connection.createChannel();
    await channel.assertQueue(queue, { messageTtl: 1000 });
    assert.strictEqual(await failure(connection, c => c.checkQueue('not-there')), "404 NOT_FOUND - no queue 'not-there' in vhost '/'");
    assert.strictEqual(await failure(connection, c => c.checkExchange('not-there')), "404 NOT_FOUND - no exchange 'not-there' in vhost '/'");
    assert.strictEqual(
      await failure(connection, c => c.assertQueue(queue, { messageTtl: 2000 })),
      `406 PRECONDITION_FAILED - inequivalent arg 'x-message-ttl' for queue '${queue}' in vhost '/': received '2000' but current is '1000'`);
    assert.strictEqual(await failure(connection, c => c.assertExchange('amq.mine', 'direct')), "403 ACCESS_REFUSED - exchange name 'amq.mine' contains reserved prefix 'amq.*'");
    assert.strictEqual(await failure(connection, async c => c.ack({ fields: { deliveryTag: 7 } })), '406 PRECONDITION_FAILED - unknown delivery tag 7');
    await channel.deleteQueue(queue);
  },

  async deadLetters(connection) {
    const channel = await connection.createConfirmChannel();
    const { queue: dead } = await channel.assertQueue('', { exclusive: true });
    const { queue } = await channel.assertQueue(unique('dl'), { deadLetterExchange: '', deadLetterRoutingKey: dead, messageTtl: 300, maxLength: 2 });
    const letters = await inbox(channel, dead, { noAck: true });
    for (let i = 0; i < 3; i++) channel.sendToQueue(queue, Buffer.from(`${i}`));
    const reasons = {};
    for (let i = 0; i < 3; i++) {
      const letter = await letters.next();
      const [death] = letter.properties.headers['x-death'];
      reasons[text(letter)] = death.reason;
      assert.strictEqual(death.queue, queue);
      assert.strictEqual(letter.properties.headers['x-first-death-reason'], death.reason);
    }
    assert.deepStrictEqual(reasons, { 0: 'maxlen', 1: 'expired', 2: 'expired' });
    await channel.deleteQueue(queue);
  },

  async replies(connection) {
    const [server, client] = [await connection.createChannel(), await connection.createChannel()];
    const { queue } = await server.assertQueue('', { exclusive: true });
    await server.consume(queue, question => {
      server.sendToQueue(question.properties.replyTo, Buffer.from(text(question).toUpperCase()), { correlationId: question.properties.correlationId });
    }, { noAck: true });
    const answers = await inbox(client, 'amq.rabbitmq.reply-to', { noAck: true });
    for (let i = 0; i < 20; i++) {
      client.sendToQueue(queue, Buffer.from(`q${i}`), { replyTo: 'amq.rabbitmq.reply-to', correlationId: `${i}` });
      const answer = await answers.next();
      assert.deepStrictEqual([text(answer), answer.properties.correlationId], [`Q${i}`, `${i}`]);
    }
  },

  async kinds(connection) {
    const channel = await connection.createConfirmChannel();
    const quorum = unique('quorum');
    await channel.assertQueue(quorum, { arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': 1 } });
    channel.sendToQueue(quorum, Buffer.from('poison'));
    await channel.waitForConfirms();
    const poison = await inbox(channel, quorum);
    channel.nack(await poison.next());
    const again = await poison.next();
    assert.strictEqual(again.properties.headers['x-delivery-count'], 1);
    channel.nack(again);
    const stream = unique('stream');
    await channel.assertQueue(stream, { arguments: { 'x-queue-type': 'stream', 'x-max-age': '1D' } });
    for (let i = 0; i < 50; i++) channel.sendToQueue(stream, Buffer.from(`${i}`));
    await channel.waitForConfirms();
    for (const from of ['first', 20]) {
      const reading = await connection.createChannel();
      await reading.prefetch(5);
      const messages = await inbox(reading, stream, { arguments: { 'x-stream-offset': from } });
      for (let i = from === 'first' ? 0 : from; i < 50; i++) {
        const message = await messages.next();
        assert.deepStrictEqual([text(message), message.properties.headers['x-stream-offset']], [`${i}`, i]);
        reading.ack(message);
      }
      await reading.close();
    }
    const priority = unique('priority');
    await channel.assertQueue(priority, { maxPriority: 3 });
    for (const [body, level] of [['low', 1], ['high', 3], ['none', 0]]) channel.sendToQueue(priority, Buffer.from(body), { priority: level });
    await channel.waitForConfirms();
    const urgent = await inbox(channel, priority, { noAck: true });
    assert.deepStrictEqual([text(await urgent.next()), text(await urgent.next()), text(await urgent.next())], ['high', 'low', 'none']);
    for (const queue of [quorum, stream, priority]) await channel.deleteQueue(queue);
  },

  async turns(connection) {
    const channel = await connection.createConfirmChannel();
    const { queue } = await channel.assertQueue(unique('turns'), { arguments: { 'x-single-active-consumer': true } });
    const active = await inbox(channel, queue);
    const waiting = await inbox(channel, queue);
    for (let i = 0; i < 3; i++) channel.sendToQueue(queue, Buffer.from(`${i}`));
    await channel.waitForConfirms();
    for (let i = 0; i < 3; i++) channel.ack(await active.next());
    assert.strictEqual(waiting.come.length, 0);
    await channel.cancel(active.consumerTag);
    channel.sendToQueue(queue, Buffer.from('next'));
    channel.ack(await waiting.next());
    const other = await connection.createChannel();
    await other.deleteQueue(queue);
    // The broker ends a consumer whose queue is gone: amqplib hands it null.
    assert.strictEqual(await waiting.next(), null);
  },
};

async function main() {
  const connection = await amqp.connect(`amqp://guest:guest@127.0.0.1:${port}`, { heartbeat: 10 });
  connection.on('error', error => { throw error; });
  await stories[process.argv[2]](connection);
  await connection.close();
}

main().catch(error => {
  console.error(error);
  process.exit(1);
});
