// Two Socket.IO servers that share their rooms through a Redis server, and clients at each. The first argument says which
// adapter, the second the port of the Redis server.
const assert = require('assert');
const http = require('http');
const { Server } = require('socket.io');
const { io } = require('socket.io-client');
const { createAdapter, createShardedAdapter } = require('@socket.io/redis-adapter');
const { createClient } = require('redis');

const [kind, port] = [process.argv[2], Number(process.argv[3])];

async function startNode() {
  const publisher = createClient({ socket: { host: '127.0.0.1', port } });
  const listener = publisher.duplicate();
  publisher.on('error', () => {});
  listener.on('error', () => {});
  await Promise.all([publisher.connect(), listener.connect()]);
  const server = http.createServer();
  const adapter = kind === 'sharded' ? createShardedAdapter(publisher, listener) : createAdapter(publisher, listener);
  const sockets = new Server(server, { adapter });
  sockets.on('connection', socket => {
    socket.on('join', (room, done) => Promise.resolve(socket.join(room)).then(() => done()));
    socket.on('shout', text => sockets.to('room').emit('heard', text));
  });
  sockets.on('question', (text, answer) => answer(`${text}!`));
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  return { sockets, url: `http://127.0.0.1:${server.address().port}` };
}

const connect = url => new Promise((resolve, reject) => {
  const client = io(url, { transports: ['websocket'], forceNew: true });
  client.on('connect', () => resolve(client));
  client.on('connect_error', reject);
});
const next = (client, event) => new Promise(resolve => client.once(event, resolve));

async function run() {
  const nodes = [await startNode(), await startNode()];
  const clients = await Promise.all(nodes.map(node => connect(node.url)));
  const other = await connect(nodes[1].url);
  let outside = 0;
  other.on('heard', () => outside++);
  for (const client of clients) await client.emitWithAck('join', 'room');
  // A room is on both nodes, and who is not in it hears nothing.
  for (const client of clients) {
    const heard = clients.map(c => next(c, 'heard'));
    client.emit('shout', 'hello');
    assert.deepStrictEqual(await Promise.all(heard), ['hello', 'hello']);
  }
  assert.strictEqual(outside, 0);
  // Questions from node to node, with their answers.
  assert.strictEqual((await nodes[0].sockets.in('room').fetchSockets()).length, 2);
  assert.strictEqual((await nodes[0].sockets.fetchSockets()).length, 3);
  assert.deepStrictEqual(await nodes[0].sockets.serverSideEmitWithAck('question', 'well'), ['well!']);
  // Binary data, and to everybody.
  const heard = [...clients, other].map(c => next(c, 'bytes'));
  nodes[0].sockets.emit('bytes', Buffer.from([0, 1, 255]));
  for (const bytes of await Promise.all(heard)) assert.deepStrictEqual(Buffer.from(bytes), Buffer.from([0, 1, 255]));
  const gone = next(clients[1], 'disconnect');
  nodes[0].sockets.in('room').disconnectSockets();
  await gone;
}

run().then(() => process.exit(0), error => {
  console.error(error);
  process.exit(1);
});
