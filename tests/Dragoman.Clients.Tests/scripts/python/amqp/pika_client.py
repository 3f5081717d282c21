"""Drives an AMQP broker with pika; each command is a story that asserts what it sees and prints what is worth reporting."""

import json
import sys
import time

import pika
import pika.exceptions


def connect(port, **more):
    return pika.BlockingConnection(pika.ConnectionParameters('127.0.0.1', port, **more))


def version(_port):
    print(pika.__version__)


def properties(port):
    connection = connect(port)
    channel = connection.channel()
    channel.confirm_delivery()
    queue = channel.queue_declare('', exclusive=True).method.queue
    headers = {'n': 3, 'big': 1 << 40, 's': 'x', 'yes': True, 'none': None, 'list': [1, 'a', {'deep': [2]}], 'table': {'z': 15}}
    channel.basic_publish('', queue, b'hello', pika.BasicProperties(
        delivery_mode=2, headers=headers, content_type='text/plain', priority=4, correlation_id='c', timestamp=12345, expiration='60000', message_id='m', type='t', app_id='a', user_id='guest'))
    method, got, body = channel.basic_get(queue, auto_ack=True)
    assert body == b'hello' and method.message_count == 0 and not method.redelivered
    assert got.headers == headers, got.headers
    assert (got.delivery_mode, got.content_type, got.priority, got.correlation_id, got.timestamp, got.expiration, got.message_id, got.type, got.app_id, got.user_id) == \
        (2, 'text/plain', 4, 'c', 12345, '60000', 'm', 't', 'a', 'guest')
    connection.close()


def confirms(port):
    connection = connect(port)
    channel = connection.channel()
    channel.confirm_delivery()
    queue = channel.queue_declare('', exclusive=True).method.queue
    for i in range(100):
        channel.basic_publish('', queue, str(i).encode(), pika.BasicProperties(delivery_mode=2), mandatory=True)
    try:
        channel.basic_publish('amq.topic', 'nowhere', b'x', mandatory=True)
        raise AssertionError('an unroutable message was not returned')
    except pika.exceptions.UnroutableError as error:
        assert len(error.messages) == 1 and error.messages[0].method.reply_code == 312
    got = [body for _, _, body in (channel.basic_get(queue, auto_ack=True) for _ in range(100))]
    assert got == [str(i).encode() for i in range(100)]
    assert channel.basic_get(queue)[0] is None
    connection.close()


def consume(port):
    connection = connect(port)
    channel = connection.channel()
    queue = channel.queue_declare('', exclusive=True).method.queue
    for i in range(20):
        channel.basic_publish('', queue, str(i).encode())
    channel.basic_qos(prefetch_count=5)
    seen = []
    for method, _, body in channel.consume(queue, inactivity_timeout=10):
        assert method is not None, seen
        seen.append((int(body), method.redelivered))
        if int(body) == 3 and not method.redelivered:
            channel.basic_nack(method.delivery_tag, requeue=True)
        else:
            channel.basic_ack(method.delivery_tag)
        if len(seen) == 21:
            break
    assert sorted(seen) == sorted([(i, False) for i in range(20)] + [(3, True)]), seen
    channel.cancel()
    connection.close()


def errors(port):
    connection = connect(port)
    report = []
    for action in (
            lambda c: c.queue_declare('not-there', passive=True),
            lambda c: c.exchange_declare('amq.fanout', 'direct', durable=True),
            lambda c: c.exchange_delete('amq.direct'),
            lambda c: c.basic_consume('not-there', lambda *_: None)):
        channel = connection.channel()
        try:
            action(channel)
            raise AssertionError('the broker accepted what it should not')
        except pika.exceptions.ChannelClosedByBroker as error:
            report.append([error.reply_code, error.reply_text])
    print(json.dumps(report))
    connection.close()


def heartbeats(port):
    connection = connect(port, heartbeat=2)
    channel = connection.channel()
    queue = channel.queue_declare('', exclusive=True).method.queue
    connection.sleep(7)
    channel.basic_publish('', queue, b'still here')
    assert channel.basic_get(queue, auto_ack=True)[2] == b'still here'
    connection.close()


def refused(port):
    try:
        connect(port, virtual_host='/', credentials=pika.PlainCredentials('nobody', 'wrong'))
        raise AssertionError('a stranger was let in')
    except pika.exceptions.ProbableAuthenticationError as error:
        print(error)


def silent(port):
    """Says nothing for longer than its own heartbeat allows."""
    connection = connect(port, heartbeat=1)
    time.sleep(8)
    try:
        connection.channel()
        raise AssertionError('the broker kept a connection that gave no sign of life')
    except pika.exceptions.AMQPConnectionError:
        pass


if __name__ == '__main__':
    globals()[sys.argv[1]](int(sys.argv[2]))
