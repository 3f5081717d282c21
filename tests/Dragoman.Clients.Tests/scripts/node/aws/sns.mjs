// Drives SNS with the AWS SDK for JavaScript, and checks what it sends with sns-validator. The first argument is the story,
// the second the port.
import assert from 'node:assert';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import {
  CreateTopicCommand, GetTopicAttributesCommand, ListSubscriptionsByTopicCommand, NotFoundException, PublishBatchCommand, PublishCommand, SetTopicAttributesCommand,
  SNSClient, SubscribeCommand, UnsubscribeCommand,
} from '@aws-sdk/client-sns';
import { CreateQueueCommand, DeleteMessageCommand, GetQueueAttributesCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import MessageValidator from 'sns-validator';

const [story, port] = [process.argv[2], Number(process.argv[3])];
const options = { endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
const [sns, sqs] = [new SNSClient(options), new SQSClient(options)];
const unique = prefix => `${prefix}-${randomUUID().slice(0, 8)}`;

async function createQueue(name, Attributes) {
  const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes }));
  const found = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
  return { url: QueueUrl, arn: found.Attributes.QueueArn };
}

async function take(queue, wait = 10) {
  const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: queue.url, WaitTimeSeconds: wait, MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All'] }));
  if (!Messages) return undefined;
  await sqs.send(new DeleteMessageCommand({ QueueUrl: queue.url, ReceiptHandle: Messages[0].ReceiptHandle }));
  return Messages[0];
}

const stories = {
  async fanout() {
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: unique('js') }));
    const [all, raw, some] = [await createQueue(unique('all')), await createQueue(unique('raw')), await createQueue(unique('some'))];
    const subscribe = (queue, Attributes) => sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: queue.arn, Attributes, ReturnSubscriptionArn: true }));
    const first = await subscribe(all);
    assert.strictEqual((await subscribe(all)).SubscriptionArn, first.SubscriptionArn);
    await subscribe(raw, { RawMessageDelivery: 'true' });
    await subscribe(some, { FilterPolicy: JSON.stringify({ kind: [{ prefix: 'new' }], price: [{ numeric: ['>', 10, '<=', 20] }] }) });
    const attributes = (kind, price) => ({ kind: { DataType: 'String', StringValue: kind }, price: { DataType: 'Number', StringValue: `${price}` } });
    const published = await sns.send(new PublishCommand({ TopicArn, Subject: 'Hi', Message: 'one ä', MessageAttributes: attributes('news', 15) }));
    await sns.send(new PublishCommand({ TopicArn, Message: 'two', MessageAttributes: attributes('olds', 15) }));
    await sns.send(new PublishCommand({ TopicArn, Message: 'three', MessageAttributes: attributes('news', 21) }));
    const envelope = JSON.parse((await take(all)).Body);
    assert.deepStrictEqual([envelope.Type, envelope.Message, envelope.Subject, envelope.MessageId, envelope.TopicArn], ['Notification', 'one ä', 'Hi', published.MessageId, TopicArn]);
    assert.deepStrictEqual(envelope.MessageAttributes.kind, { Type: 'String', Value: 'news' });
    const bare = await take(raw);
    assert.deepStrictEqual([bare.Body, bare.MessageAttributes.price], ['one ä', { DataType: 'Number', StringValue: '15' }]);
    assert.strictEqual(JSON.parse((await take(some)).Body).Message, 'one ä');
    assert.strictEqual(await take(some, 1), undefined);
    const batch = await sns.send(new PublishBatchCommand({ TopicArn, PublishBatchRequestEntries: [{ Id: 'a', Message: 'four' }, { Id: 'b', Message: 'five' }] }));
    assert.deepStrictEqual(batch.Successful.map(e => e.Id), ['a', 'b']);
    const { Attributes } = await sns.send(new GetTopicAttributesCommand({ TopicArn }));
    assert.strictEqual(Attributes.SubscriptionsConfirmed, '3');
    assert.strictEqual((await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }))).Subscriptions.length, 3);
    await sns.send(new UnsubscribeCommand({ SubscriptionArn: first.SubscriptionArn }));
    assert.strictEqual((await sns.send(new ListSubscriptionsByTopicCommand({ TopicArn }))).Subscriptions.length, 2);
    await assert.rejects(sns.send(new PublishCommand({ TopicArn: `${TopicArn}x`, Message: 'x' })), NotFoundException);
  },
  async fifo() {
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: `${unique('js')}.fifo`, Attributes: { FifoTopic: 'true', ContentBasedDeduplication: 'true' } }));
    const queue = await createQueue(`${unique('js')}.fifo`, { FifoQueue: 'true' });
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: queue.arn, Attributes: { RawMessageDelivery: 'true' } }));
    for (const Message of ['1', '2', '2', '3']) {
      const { SequenceNumber } = await sns.send(new PublishCommand({ TopicArn, Message, MessageGroupId: 'g' }));
      assert.match(SequenceNumber, /^\d{20}$/);
    }
    const seen = [];
    for (let message; seen.length < 3 && (message = await take(queue));) {
      assert.strictEqual(message.Attributes.MessageGroupId, 'g');
      seen.push(message.Body);
    }
    assert.deepStrictEqual(seen, ['1', '2', '3']);
    assert.strictEqual(await take(queue, 1), undefined);
  },
  async endpoint() {
    const inbox = [];
    let arrived = () => {};
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', data => { body += data; });
      request.on('end', () => {
        inbox.push({ type: request.headers['x-amz-sns-message-type'], body });
        response.end();
        arrived();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const next = async () => {
      while (inbox.length === 0) await new Promise(resolve => { arrived = resolve; });
      return inbox.shift();
    };
    // Its pattern is AWS' hosts unless another is given.
    const validator = new MessageValidator(new RegExp(`^127\\.0\\.0\\.1:${port}$`), 'utf8');
    const check = message => new Promise((resolve, reject) => { validator.validate(message, (error, checked) => (error ? reject(error) : resolve(checked))); });
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: unique('js') }));
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'http', Endpoint: `http://127.0.0.1:${server.address().port}/sns` }));
    const asked = await next();
    assert.strictEqual(asked.type, 'SubscriptionConfirmation');
    const question = await check(asked.body);
    await new Promise(resolve => { get(question.SubscribeURL, answer => answer.resume().on('end', resolve)); });
    for (const version of ['1', '2']) {
      await sns.send(new SetTopicAttributesCommand({ TopicArn, AttributeName: 'SignatureVersion', AttributeValue: version }));
      await sns.send(new PublishCommand({ TopicArn, Subject: 'Grüße', Message: `signed ${version}` }));
      const told = await next();
      assert.strictEqual(told.type, 'Notification');
      const notification = await check(told.body);
      assert.deepStrictEqual([notification.Message, notification.Subject, notification.SignatureVersion], [`signed ${version}`, 'Grüße', version]);
      await assert.rejects(check(told.body.replace(`signed ${version}`, 'forged')), /signature/i);
    }
    server.close();
  },
};

await stories[story]();
process.exit(0);
