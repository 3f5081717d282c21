// Drives SQS with the AWS SDK for JavaScript, and with sqs-consumer. The first argument is the story, the second the port.
import assert from 'node:assert';
import { randomUUID } from 'node:crypto';
import {
  CreateQueueCommand, DeleteMessageBatchCommand, GetQueueAttributesCommand, QueueDoesNotExist, ReceiveMessageCommand, SQSClient, SendMessageBatchCommand,
  SendMessageCommand,
} from '@aws-sdk/client-sqs';
import { Consumer } from 'sqs-consumer';

const [story, port] = [process.argv[2], Number(process.argv[3])];
const sqs = new SQSClient({ endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } });
const unique = prefix => `${prefix}-${randomUUID().slice(0, 8)}`;
const create = async (name, Attributes) => (await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes }))).QueueUrl;
const counts = async QueueUrl => {
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
  return [Attributes.ApproximateNumberOfMessages, Attributes.ApproximateNumberOfMessagesNotVisible].map(Number);
};

const stories = {
  async messages() {
    const QueueUrl = await create(unique('js'));
    assert.strictEqual(QueueUrl.startsWith(`http://127.0.0.1:${port}/`), true);
    const MessageAttributes = {
      text: { DataType: 'String', StringValue: 'ä' },
      number: { DataType: 'Number', StringValue: '1.5' },
      bytes: { DataType: 'Binary', BinaryValue: new Uint8Array([0, 255]) },
    };
    // The SDK compares the hashes of what it sent and received.
    const sent = await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: '{"a":"\\u2028 <&> 😀"}', MessageAttributes }));
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All'] }));
    assert.strictEqual(Messages[0].MessageId, sent.MessageId);
    assert.strictEqual(Messages[0].Body, '{"a":"\\u2028 <&> 😀"}');
    assert.strictEqual(Messages[0].MessageAttributes.text.StringValue, 'ä');
    assert.deepStrictEqual([...Messages[0].MessageAttributes.bytes.BinaryValue], [0, 255]);
    assert.strictEqual(Messages[0].Attributes.ApproximateReceiveCount, '1');
    assert.strictEqual((await sqs.send(new ReceiveMessageCommand({ QueueUrl }))).Messages, undefined);
    const gone = await sqs.send(new DeleteMessageBatchCommand({ QueueUrl, Entries: [{ Id: 'a', ReceiptHandle: Messages[0].ReceiptHandle }, { Id: 'b', ReceiptHandle: 'garbage' }] }));
    assert.deepStrictEqual([gone.Successful.map(e => e.Id), gone.Failed.map(e => [e.Id, e.Code, e.SenderFault])], [['a'], [['b', 'ReceiptHandleIsInvalid', true]]]);
    await assert.rejects(sqs.send(new SendMessageCommand({ QueueUrl: `${QueueUrl}x`, MessageBody: 'x' })), QueueDoesNotExist);
  },
  async poll() {
    const QueueUrl = await create(unique('js'));
    const waiting = sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
    await new Promise(resolve => setTimeout(resolve, 300));
    const began = Date.now();
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'wake up' }));
    assert.strictEqual((await waiting).Messages[0].Body, 'wake up');
    assert.ok(Date.now() - began < 15_000);
    // Who goes away takes nothing with it.
    const controller = new AbortController();
    const abandoned = sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }), { abortSignal: controller.signal });
    await new Promise(resolve => setTimeout(resolve, 300));
    controller.abort();
    await assert.rejects(abandoned);
    await new Promise(resolve => setTimeout(resolve, 300));
    await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'for another' }));
    assert.strictEqual((await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }))).Messages[0].Body, 'for another');
  },
  async consumer() {
    const dead = await create(unique('js-dead'));
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: dead, AttributeNames: ['QueueArn'] }));
    const queueUrl = await create(unique('js'), { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: Attributes.QueueArn, maxReceiveCount: '2' }) });
    for (let batch = 0; batch < 10; batch++)
      await sqs.send(new SendMessageBatchCommand({ QueueUrl: queueUrl, Entries: Array.from({ length: 10 }, (_, i) => ({ Id: `${i}`, MessageBody: `${batch * 10 + i}` })) }));
    const seen = new Map();
    let finish;
    const finished = new Promise(resolve => { finish = resolve; });
    const consumer = Consumer.create({
      queueUrl, sqs, batchSize: 10, waitTimeSeconds: 2, terminateVisibilityTimeout: true,
      handleMessage: async message => {
        seen.set(message.Body, (seen.get(message.Body) ?? 0) + 1);
        if (seen.size === 100 && seen.get('13') === 2) setImmediate(finish);
        if (message.Body === '13') throw new Error('unlucky');
        return message;
      },
    });
    consumer.on('error', error => { throw error; });
    consumer.on('processing_error', () => {});
    consumer.start();
    await finished;
    await new Promise(resolve => { consumer.on('stopped', resolve); consumer.stop(); });
    const letter = await sqs.send(new ReceiveMessageCommand({ QueueUrl: dead, WaitTimeSeconds: 10 }));
    assert.strictEqual(letter.Messages[0].Body, '13');
    assert.deepStrictEqual([...seen].filter(([, times]) => times > 1), [['13', 2]]);
    assert.deepStrictEqual(await counts(queueUrl), [0, 0]);
  },
};

await stories[story]();
