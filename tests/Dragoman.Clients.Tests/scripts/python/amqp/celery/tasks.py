"""A Celery application over AMQP with results over rpc://; the address comes from the environment."""

import os

from celery import Celery

app = Celery('tasks', broker=os.environ['BROKER'], backend='rpc://')
app.conf.update(
    result_persistent=False,
    broker_connection_retry_on_startup=True,
    worker_prefetch_multiplier=1,
    task_acks_late=True,
)


@app.task
def add(x, y):
    return x + y


@app.task
def total(numbers):
    return sum(numbers)


@app.task(bind=True, max_retries=3)
def flaky(self, fails):
    if self.request.retries < fails:
        raise self.retry(countdown=0.2)
    return self.request.retries


@app.task
def stamp():
    import time
    return time.time()
