// Drives a Redis server with ioredis. The first argument is the story, the second the port, the third the RESP version.
const assert = require('assert');
const { Redis } = require('ioredis');

const [story, port, protocol] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4] || 3)];
const connect = (options = {}) => new Redis({ port, host: '127.0.0.1', protocol, maxRetriesPerRequest: 2, ...options });
const next = (client, event) => new Promise(resolve => client.once(event, (...all) => resolve(all)));

const stories = {
  async pubsub() {
    const [listener, publisher] = [connect(), connect()];
    assert.strictEqual(await listener.subscribe('i1', 'i2'), 2);
    assert.strictEqual(await listener.psubscribe('i*'), 3);
    let got = next(listener, 'message');
    let byPattern = next(listener, 'pmessage');
    assert.strictEqual(await publisher.publish('i1', 'hello'), 2);
    assert.deepStrictEqual(await got, ['i1', 'hello']);
    assert.deepStrictEqual(await byPattern, ['i*', 'i1', 'hello']);
    got = next(listener, 'messageBuffer');
    await publisher.publish('i2', Buffer.from([0, 255, 13, 10]));
    assert.deepStrictEqual((await got)[1], Buffer.from([0, 255, 13, 10]));
    assert.deepStrictEqual(await publisher.pubsub('NUMSUB', 'i1'), ['i1', 1]);
    await listener.unsubscribe('i1', 'i2');
    await listener.punsubscribe('i*');
    assert.strictEqual(await publisher.publish('i1', 'gone'), 0);
    listener.disconnect();
    publisher.disconnect();
  },
  async shards() {
    const [listener, publisher] = [connect(), connect()];
    const got = next(listener, 'smessage');
    assert.strictEqual(await listener.ssubscribe('s1'), 1);
    assert.strictEqual(await publisher.spublish('s1', 'x'), 1);
    assert.deepStrictEqual(await got, ['s1', 'x']);
    await listener.sunsubscribe('s1');
    listener.disconnect();
    publisher.disconnect();
  },
  async order() {
    const [listener, publisher] = [connect(), connect()];
    await listener.subscribe('order');
    const seen = [];
    const all = new Promise(resolve => listener.on('message', (_, text) => seen.push(Number(text)) === 5000 && resolve()));
    const pipeline = publisher.pipeline();
    for (let i = 0; i < 5000; i++) pipeline.publish('order', i);
    const replies = await pipeline.exec();
    assert(replies.every(([error, count]) => error === null && count === 1));
    await all;
    assert.deepStrictEqual(seen, [...Array(5000).keys()]);
    listener.disconnect();
    publisher.disconnect();
  },
  async commands() {
    const client = connect({ connectionName: 'me' });
    assert.strictEqual(await client.set('k', 'v', 'PX', 60000), 'OK');
    assert.strictEqual(await client.get('k'), 'v');
    assert((await client.pttl('k')) > 0);
    assert.deepStrictEqual(await client.multi().incr('n').publish('nobody', 'x').exec(), [[null, 1], [null, 0]]);
    assert.strictEqual(await client.client('GETNAME'), 'me');
    await assert.rejects(client.call('XADD', 's', '*', 'a', 'b'), /unknown command 'XADD'/i);
    assert.strictEqual(await client.ping(), 'PONG');
    assert.match(await client.info(), /loading:0/);
    const limited = connect({ protocol: 2 });
    await limited.subscribe('x');
    await assert.rejects(limited.get('k'), /subscriber mode/);
    client.disconnect();
    limited.disconnect();
  },
  async login() {
    const good = connect({ username: 'admin', password: 'secret' });
    assert.strictEqual(await good.publish('x', 'y'), 0);
    const bad = connect({ username: 'admin', password: 'wrong', retryStrategy: () => null });
    bad.on('error', () => {});
    await assert.rejects(bad.ping());
    good.disconnect();
    bad.disconnect();
  },
};

stories[story]().then(() => process.exit(0), error => {
  console.error(error);
  process.exit(1);
});
