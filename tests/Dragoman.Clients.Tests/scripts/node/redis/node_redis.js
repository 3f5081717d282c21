// Drives a Redis server with node-redis. The first argument is the story, the second the port, the third the RESP version.
const assert = require('assert');
const { createClient } = require('redis');

const [story, port, resp] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4] || 3)];

async function connect(options = {}) {
  const client = createClient({ RESP: resp, ...options, socket: { host: '127.0.0.1', port, reconnectStrategy: false, ...options.socket } });
  client.on('error', () => {});
  return client.connect();
}

const stories = {
  async pubsub() {
    const [listener, publisher] = [await connect(), await connect()];
    const seen = [];
    let wake;
    const take = async () => {
      while (seen.length === 0) await new Promise(resolve => { wake = resolve; });
      return seen.shift();
    };
    const put = kind => (message, channel) => {
      seen.push([kind, channel, message]);
      if (wake) wake();
    };
    await listener.subscribe(['n1', 'n2'], put('channel'));
    await listener.pSubscribe('p*', put('pattern'));
    await listener.sSubscribe('s1', put('shard'));
    assert.strictEqual(await publisher.publish('n1', 'hello'), 1);
    assert.deepStrictEqual(await take(), ['channel', 'n1', 'hello']);
    assert.strictEqual(await publisher.publish('p1', 'hi'), 1);
    assert.deepStrictEqual(await take(), ['pattern', 'p1', 'hi']);
    assert.strictEqual(await publisher.sPublish('s1', 'shard'), 1);
    assert.deepStrictEqual(await take(), ['shard', 's1', 'shard']);
    assert.deepStrictEqual(await publisher.pubSubChannels('n*').then(names => names.sort()), ['n1', 'n2']);
    assert.strictEqual(await publisher.pubSubNumPat(), 1);
    if (resp === 3) {
      // One connection does both.
      assert.strictEqual(await listener.publish('n2', 'self'), 1);
      assert.deepStrictEqual(await take(), ['channel', 'n2', 'self']);
    }
    await listener.unsubscribe();
    await listener.pUnsubscribe();
    await listener.sUnsubscribe('s1');
    assert.strictEqual(await publisher.publish('n1', 'gone'), 0);
    await listener.close();
    await publisher.close();
  },
  async commands() {
    const client = await connect({ name: 'me' });
    assert.strictEqual(await client.set('k', 'v', { expiration: { type: 'EX', value: 60 } }), 'OK');
    assert.strictEqual(await client.get('k'), 'v');
    assert.deepStrictEqual(await client.multi().incr(`m${resp}`).publish('nobody', 'x').exec(), [1, 0]);
    assert.strictEqual(await client.clientGetName(), 'me');
    assert.match((await client.clientInfo()).libName || '', /node-redis/);
    await assert.rejects(client.sendCommand(['LPUSH', 'l', 'a']), /unknown command 'LPUSH'/i);
    assert.strictEqual(await client.ping(), 'PONG');
    assert.strictEqual(await client.del('k'), 1);
    await client.close();
  },
};

stories[story]().then(() => process.exit(0), error => {
  console.error(error);
  process.exit(1);
});
