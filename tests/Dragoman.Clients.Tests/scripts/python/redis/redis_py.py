"""Drives a Redis server with redis-py; each command is a story that asserts what it sees."""

import sys

import redis


def connect(port, **more):
    return redis.Redis('127.0.0.1', port, socket_timeout=30, **more)


def take(pubsub):
    message = pubsub.get_message(timeout=30)
    assert message is not None
    return message['type'], message['pattern'], message['channel'], message['data']


def version(_port):
    print(redis.__version__)


def pubsub(port):
    publisher = connect(port)
    listener = publisher.pubsub()
    listener.subscribe('y1')
    listener.psubscribe('y*')
    assert take(listener) == ('subscribe', None, b'y1', 1)
    assert take(listener) == ('psubscribe', None, b'y*', 2)
    assert publisher.publish('y1', b'\x00\xff') == 2
    assert take(listener) == ('message', None, b'y1', b'\x00\xff')
    assert take(listener) == ('pmessage', b'y*', b'y1', b'\x00\xff')
    listener.ping('there')
    assert take(listener)[0] == 'pong'
    assert publisher.pubsub_channels('y*') == [b'y1']
    assert publisher.pubsub_numsub('y1', 'none') == [(b'y1', 1), (b'none', 0)]
    assert publisher.pubsub_numpat() == 1
    listener.unsubscribe()
    listener.punsubscribe()
    assert take(listener) == ('unsubscribe', None, b'y1', 1)
    assert take(listener) == ('punsubscribe', None, b'y*', 0)
    assert publisher.publish('y1', 'gone') == 0


def commands(port):
    client = connect(port, client_name='me')
    assert client.client_getname() == 'me'
    assert client.set('k', 'v', ex=60, nx=True)
    assert client.get('k') == b'v'
    assert 0 < client.ttl('k') <= 60
    with client.pipeline() as pipe:
        pipe.watch('k')
        pipe.multi()
        pipe.incr('counter')
        pipe.publish('nobody', 'x')
        assert pipe.execute() == [1, 0]
    with client.pipeline() as pipe:
        pipe.watch('k')
        client.set('k', 'other')
        pipe.multi()
        pipe.get('k')
        try:
            pipe.execute()
            raise AssertionError('what was watched has changed')
        except redis.WatchError:
            pass
    assert client.exists('k', 'counter') == 2
    assert sorted(client.scan_iter('*')) == [b'counter', b'k']
    try:
        client.execute_command('LPUSH', 'l', 'a')
        raise AssertionError('there are no lists')
    except redis.ResponseError as error:
        assert str(error) == "unknown command 'LPUSH', with args beginning with: 'l' 'a' ", error
    assert client.info()['loading'] == 0
    assert client.config_get('databases') == {'databases': '16'}
    assert any(c['name'] == 'me' for c in client.client_list())
    assert client.flushall() and client.dbsize() == 0


def behind(port):
    """A subscriber that does not read is disconnected; its publisher and the other subscribers see nothing of it."""
    publisher = connect(port)
    before = publisher.config_get('client-output-buffer-limit')['client-output-buffer-limit']
    assert 'pubsub 33554432 8388608 60' in before, before
    assert publisher.config_set('client-output-buffer-limit', 'pubsub 1mb 0 0')
    try:
        sleeper, reader = publisher.pubsub(), connect(port).pubsub()
        sleeper.subscribe('flood')
        reader.subscribe('flood')
        assert take(sleeper)[0] == take(reader)[0] == 'subscribe'
        heard, sent = 2, 0
        # What the sockets hold besides comes to a few MiB.
        while heard == 2:
            assert sent < 2000, 'whoever does not read is still there'
            heard = publisher.publish('flood', b'%d:' % sent + 64 * 1024 * b'x')
            assert take(reader)[3].startswith(b'%d:' % sent)
            sent += 1
        assert heard == 1, heard
        assert publisher.pubsub_numsub('flood') == [(b'flood', 1)]
        assert publisher.publish('flood', 'last') == 1
        assert take(reader)[3] == b'last'
        # What it had been sent is there, and then the end.
        sleeper.connection.retry_on_timeout = False
        got = 0
        try:
            while True:
                message = sleeper.connection.read_response()
                assert message[2].startswith(b'%d:' % got), message[2][:10]
                got += 1
        except redis.ConnectionError:
            pass
        assert got < sent, (got, sent)
    finally:
        publisher.config_set('client-output-buffer-limit', 'pubsub 33554432 8388608 60')


def keyspace(port):
    """What happens to keys is told on channels, as far as it is asked for."""
    client = connect(port)
    listener = client.pubsub()
    listener.psubscribe('__key*__:*')
    assert take(listener)[0] == 'psubscribe'
    client.set('quiet', '1')
    assert client.config_set('notify-keyspace-events', 'KEA')
    try:
        client.set('k', '1', px=50)
        told = [take(listener)[2:] for _ in range(4)]
        assert told == [(b'__keyspace@0__:k', b'set'), (b'__keyevent@0__:set', b'k'), (b'__keyspace@0__:k', b'expire'), (b'__keyevent@0__:expire', b'k')], told
        told = [take(listener)[2:] for _ in range(2)]
        assert told == [(b'__keyspace@0__:k', b'expired'), (b'__keyevent@0__:expired', b'k')], told
        client.delete('quiet')
        assert take(listener)[2:] == (b'__keyspace@0__:quiet', b'del')
    finally:
        client.config_set('notify-keyspace-events', '')


def login(port):
    assert connect(port, username='admin', password='secret').ping()
    try:
        connect(port, username='admin', password='wrong').ping()
        raise AssertionError('a wrong password was taken')
    except redis.ResponseError as error:
        assert str(error).startswith('WRONGPASS'), error
    try:
        connect(port).ping()
        raise AssertionError('nobody was let in')
    except redis.AuthenticationError as error:
        assert 'Authentication required' in str(error), error


if __name__ == '__main__':
    globals()[sys.argv[1]](int(sys.argv[2]))
