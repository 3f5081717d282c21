"""Drives SQS with boto3; each command is a story that asserts what it sees."""

import hashlib
import json
import sys
import threading
import uuid

import boto3
import botocore
from botocore.config import Config
from botocore.exceptions import ClientError


def connect(port, key='test', secret='test'):
    return boto3.client(
        'sqs', endpoint_url=f'http://127.0.0.1:{port}', region_name='eu-central-1', aws_access_key_id=key, aws_secret_access_key=secret,
        config=Config(retries={'max_attempts': 1}, read_timeout=60))


def unique(prefix):
    return f'{prefix}-{uuid.uuid4().hex[:8]}'


def drain(sqs, url, wait=1, **more):
    while True:
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=wait, **more).get('Messages', [])
        if not messages:
            return
        yield from messages
        failed = sqs.delete_message_batch(QueueUrl=url, Entries=[{'Id': str(i), 'ReceiptHandle': m['ReceiptHandle']} for i, m in enumerate(messages)]).get('Failed')
        assert not failed, failed


def counts(sqs, url):
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['All'])['Attributes']
    return tuple(int(found[f'ApproximateNumberOfMessages{what}']) for what in ('', 'NotVisible', 'Delayed'))


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        assert error.response['Error']['Code'] == code, error.response
        return error.response['Error']['Message']
    raise AssertionError(f'expected {code}')


def version(_port):
    print(f'{boto3.__version__} (botocore {botocore.__version__})')


def queues(port):
    sqs = connect(port)
    name = unique('queues')
    url = sqs.create_queue(QueueName=name, Attributes={'DelaySeconds': '1', 'VisibilityTimeout': '40'}, tags={'team': 'a'})['QueueUrl']
    assert url == f'http://127.0.0.1:{port}/000000000000/{name}', url
    assert sqs.create_queue(QueueName=name, Attributes={'DelaySeconds': '1'})['QueueUrl'] == url
    refused('QueueAlreadyExists', sqs.create_queue, QueueName=name, Attributes={'DelaySeconds': '2'})
    assert sqs.get_queue_url(QueueName=name)['QueueUrl'] == url
    others = [sqs.create_queue(QueueName=f'{name}-{i}')['QueueUrl'] for i in range(5)]
    assert sorted(sqs.list_queues(QueueNamePrefix=name)['QueueUrls']) == sorted([url, *others])
    page = sqs.list_queues(QueueNamePrefix=name, MaxResults=4)
    rest = sqs.list_queues(QueueNamePrefix=name, MaxResults=4, NextToken=page['NextToken'])
    assert sorted(page['QueueUrls'] + rest['QueueUrls']) == sorted([url, *others]) and 'NextToken' not in rest
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['All'])['Attributes']
    assert found['QueueArn'] == f'arn:aws:sqs:eu-central-1:000000000000:{name}', found
    assert (found['DelaySeconds'], found['VisibilityTimeout'], found['MessageRetentionPeriod']) == ('1', '40', '345600')
    policy = json.dumps({'Version': '2012-10-17', 'Statement': []})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={'Policy': policy, 'DelaySeconds': '0'})
    assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['Policy', 'DelaySeconds'])['Attributes'] == {'Policy': policy, 'DelaySeconds': '0'}
    sqs.tag_queue(QueueUrl=url, Tags={'env': 'b'})
    assert sqs.list_queue_tags(QueueUrl=url)['Tags'] == {'team': 'a', 'env': 'b'}
    sqs.untag_queue(QueueUrl=url, TagKeys=['team'])
    assert sqs.list_queue_tags(QueueUrl=url)['Tags'] == {'env': 'b'}
    refused('InvalidAttributeName', sqs.set_queue_attributes, QueueUrl=url, Attributes={'Colour': 'red'})
    refused('InvalidAttributeValue', sqs.set_queue_attributes, QueueUrl=url, Attributes={'DelaySeconds': '901'})
    for one in [url, *others]:
        sqs.delete_queue(QueueUrl=one)
    refused('AWS.SimpleQueueService.NonExistentQueue', sqs.get_queue_url, QueueName=name)


def messages(port):
    sqs = connect(port)
    url = sqs.create_queue(QueueName=unique('messages'))['QueueUrl']
    body = 'text, <xml> & "quotes"\r\nnew line, tab\t, ünïcode, 😀'
    attributes = {
        'text': {'DataType': 'String', 'StringValue': 'ä&b'},
        'count': {'DataType': 'Number.int', 'StringValue': '42'},
        'blob': {'DataType': 'Binary.png', 'BinaryValue': b'\x00\xff\x10'},
        'content-type': {'DataType': 'String', 'StringValue': 'text/plain'},
        'priority': {'DataType': 'Number', 'StringValue': '9'},
    }
    sent = sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)
    assert sent['MD5OfMessageBody'] == hashlib.md5(body.encode()).hexdigest()
    received = sqs.receive_message(QueueUrl=url, AttributeNames=['All'], MessageAttributeNames=['All'])['Messages']
    assert len(received) == 1
    message = received[0]
    assert message['Body'] == body, message['Body']
    assert message['MessageAttributes'] == attributes, message['MessageAttributes']
    assert message['MessageId'] == sent['MessageId']
    assert message['MD5OfMessageAttributes'] == sent['MD5OfMessageAttributes']
    assert message['Attributes']['ApproximateReceiveCount'] == '1'
    assert counts(sqs, url) == (0, 1, 0)
    assert 'Messages' not in sqs.receive_message(QueueUrl=url)
    # Given back, it is received once more, by another handle; the first one is worth nothing then.
    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message['ReceiptHandle'], VisibilityTimeout=0)
    again = sqs.receive_message(QueueUrl=url, AttributeNames=['All'], WaitTimeSeconds=5)['Messages'][0]
    assert again['Attributes']['ApproximateReceiveCount'] == '2' and again['ReceiptHandle'] != message['ReceiptHandle']
    assert 'MessageAttributes' not in again and 'MD5OfMessageAttributes' not in again
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message['ReceiptHandle'])
    assert counts(sqs, url) == (0, 1, 0)
    sqs.delete_message(QueueUrl=url, ReceiptHandle=again['ReceiptHandle'])
    sqs.delete_message(QueueUrl=url, ReceiptHandle=again['ReceiptHandle'])
    assert counts(sqs, url) == (0, 0, 0)
    sqs.send_message(QueueUrl=url, MessageBody='later', DelaySeconds=900)
    assert counts(sqs, url) == (0, 0, 1)
    sqs.purge_queue(QueueUrl=url)
    assert counts(sqs, url) == (0, 0, 0)
    refused('AWS.SimpleQueueService.PurgeQueueInProgress', sqs.purge_queue, QueueUrl=url)
    refused('InvalidMessageContents', sqs.send_message, QueueUrl=url, MessageBody='bell \u0007')
    refused('InvalidParameterValue', sqs.send_message, QueueUrl=url, MessageBody='x' * (1024 * 1024 + 1))
    refused('ReceiptHandleIsInvalid', sqs.delete_message, QueueUrl=url, ReceiptHandle='garbage')
    refused('AWS.SimpleQueueService.EmptyBatchRequest', sqs.send_message_batch, QueueUrl=url, Entries=[])


def batches(port):
    sqs = connect(port)
    url = sqs.create_queue(QueueName=unique('batches'))['QueueUrl']
    total, threads = 10_000, 4

    def send(part):
        client = connect(port)
        for start in range(part, total, threads * 10):
            bodies = range(start, min(start + threads * 10, total), threads)
            answer = client.send_message_batch(QueueUrl=url, Entries=[{'Id': str(n), 'MessageBody': f'message {n}'} for n in bodies])
            assert len(answer['Successful']) == len(bodies) and 'Failed' not in answer

    at_work = [threading.Thread(target=send, args=[part]) for part in range(threads)]
    for thread in at_work:
        thread.start()
    for thread in at_work:
        thread.join()
    assert counts(sqs, url) == (total, 0, 0), counts(sqs, url)
    seen, lock = [], threading.Lock()

    def take():
        for message in drain(connect(port), url):
            with lock:
                seen.append(message['Body'])

    at_work = [threading.Thread(target=take) for _ in range(threads)]
    for thread in at_work:
        thread.start()
    for thread in at_work:
        thread.join()
    assert len(seen) == total and len(set(seen)) == total, (len(seen), len(set(seen)))
    assert counts(sqs, url) == (0, 0, 0)
    answer = sqs.send_message_batch(QueueUrl=url, Entries=[{'Id': 'good', 'MessageBody': 'x'}, {'Id': 'bad', 'MessageBody': 'bell \u0007'}])
    assert [e['Id'] for e in answer['Successful']] == ['good'] and [e['Id'] for e in answer['Failed']] == ['bad']
    refused('AWS.SimpleQueueService.TooManyEntriesInBatchRequest', sqs.send_message_batch, QueueUrl=url, Entries=[{'Id': str(n), 'MessageBody': 'x'} for n in range(11)])
    refused('AWS.SimpleQueueService.BatchEntryIdsNotDistinct', sqs.send_message_batch, QueueUrl=url, Entries=[{'Id': 'a', 'MessageBody': 'x'}] * 2)


def fifo(port):
    sqs = connect(port)
    url = sqs.create_queue(QueueName=unique('fifo') + '.fifo', Attributes={'FifoQueue': 'true', 'VisibilityTimeout': '2'})['QueueUrl']
    groups, each = 8, 40
    numbers = []
    for n in range(each):
        for group in range(groups):
            sent = sqs.send_message(QueueUrl=url, MessageBody=f'{n}', MessageGroupId=f'g{group}', MessageDeduplicationId=f'{group}-{n}')
            numbers.append(int(sent['SequenceNumber']))
    assert numbers == sorted(set(numbers))
    again = sqs.send_message(QueueUrl=url, MessageBody='copy', MessageGroupId='g0', MessageDeduplicationId='0-0')
    assert int(again['SequenceNumber']) == numbers[0]
    done, lock = {f'g{group}': [] for group in range(groups)}, threading.Lock()

    def work(number):
        client = connect(port)
        while True:
            got = client.receive_message(QueueUrl=url, MaxNumberOfMessages=5, WaitTimeSeconds=3, AttributeNames=['All']).get('Messages', [])
            if not got:
                return
            for i, message in enumerate(got):
                # Now and then a worker gives up what it holds.
                if number == 0 and i == 2:
                    break
                with lock:
                    done[message['Attributes']['MessageGroupId']].append(int(message['Body']))
                client.delete_message(QueueUrl=url, ReceiptHandle=message['ReceiptHandle'])

    workers = [threading.Thread(target=work, args=[n]) for n in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for group, bodies in done.items():
        assert bodies == list(range(each)), (group, bodies)
    refused('MissingParameter', sqs.send_message, QueueUrl=url, MessageBody='x')
    refused('InvalidParameterValue', sqs.send_message, QueueUrl=url, MessageBody='x', MessageGroupId='g')


def dead_letters(port):
    sqs = connect(port)
    dead = sqs.create_queue(QueueName=unique('dead'))['QueueUrl']
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
    policy = json.dumps({'deadLetterTargetArn': arn, 'maxReceiveCount': 2})
    url = sqs.create_queue(QueueName=unique('work'), Attributes={'RedrivePolicy': policy})['QueueUrl']
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)['queueUrls'] == [url]
    sent = sqs.send_message(QueueUrl=url, MessageBody='poison')
    for expected in ('1', '2'):
        message = sqs.receive_message(QueueUrl=url, AttributeNames=['All'], WaitTimeSeconds=5)['Messages'][0]
        assert message['Attributes']['ApproximateReceiveCount'] == expected
        sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=message['ReceiptHandle'], VisibilityTimeout=0)
    assert 'Messages' not in sqs.receive_message(QueueUrl=url)
    message = sqs.receive_message(QueueUrl=dead, AttributeNames=['All'], WaitTimeSeconds=5)['Messages'][0]
    assert message['MessageId'] == sent['MessageId'] and message['Attributes']['ApproximateReceiveCount'] == '3'


def signatures(port):
    key, secret = sys.argv[3:]
    sqs = connect(port, key, secret)
    url = sqs.create_queue(QueueName=unique('signed'))['QueueUrl']
    sqs.send_message(QueueUrl=url, MessageBody='äöü & so on: +%/')
    assert sqs.receive_message(QueueUrl=url)['Messages'][0]['Body'] == 'äöü & so on: +%/'
    # A presigned address is as good as a signed request.
    import urllib.request
    address = sqs.generate_presigned_url('send_message', Params={'QueueUrl': url, 'MessageBody': 'by address'}, HttpMethod='GET')
    with urllib.request.urlopen(address, timeout=30) as answer:
        assert b'<MD5OfMessageBody>' in answer.read()
    refused('SignatureDoesNotMatch', connect(port, key, 'wrong').list_queues)
    refused('InvalidClientTokenId', connect(port, 'AKIANOBODY', secret).list_queues)


if __name__ == '__main__':
    globals()[sys.argv[1]](int(sys.argv[2]))
