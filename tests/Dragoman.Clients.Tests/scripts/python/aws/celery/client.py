"""Sends tasks to the worker of tasks.py over SQS, and waits for what it writes down."""

import os
import sys
import time

from tasks import add, flaky

PATIENCE = 60


def version():
    import celery
    import kombu
    print(f'{celery.__version__} (kombu {kombu.__version__}, SQS)')


def lines():
    try:
        with open(os.environ['RESULTS'], encoding='utf-8') as results:
            return results.read().splitlines()
    except FileNotFoundError:
        return []


def tasks():
    for n in range(50):
        add.delay(n, n)
    add.apply_async((1000, 1), countdown=3)
    flaky.delay(2)
    expected = sorted([f'add {2 * n}' for n in range(50)] + ['add 1001', 'flaky 2'])
    until = time.time() + PATIENCE
    while sorted(lines()) != expected:
        assert time.time() < until, (sorted(lines()), expected)
        time.sleep(0.2)


if __name__ == '__main__':
    globals()[sys.argv[1]]()
