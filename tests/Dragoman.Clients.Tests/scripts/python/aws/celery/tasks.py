"""A Celery application over SQS; the address comes from the environment."""

import os

from celery import Celery

app = Celery('tasks', broker=os.environ['BROKER'])
app.conf.update(
    broker_transport_options={
        'region': 'us-east-1',
        'is_secure': False,
        'visibility_timeout': 30,
        'wait_time_seconds': 5,
        'polling_interval': 0.1,
    },
    task_default_queue='celery-sqs',
    broker_connection_retry_on_startup=True,
    worker_enable_remote_control=False,
    worker_prefetch_multiplier=1,
    task_acks_late=True,
)


def note(line):
    with open(os.environ['RESULTS'], 'a', encoding='utf-8') as results:
        results.write(line + '\n')


@app.task
def add(x, y):
    note(f'add {x + y}')


@app.task(bind=True, max_retries=3)
def flaky(self, fails):
    if self.request.retries < fails:
        raise self.retry(countdown=1)
    note(f'flaky {self.request.retries}')
