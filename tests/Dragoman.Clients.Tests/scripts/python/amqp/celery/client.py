"""Drives the worker of tasks.py: each command is a story that asserts what it sees."""

import datetime
import sys
import time

from celery import chain, chord, group

from tasks import add, app, flaky, stamp, total

PATIENCE = 60


def version():
    import celery
    import kombu
    print(f'{celery.__version__} (kombu {kombu.__version__})')


def chains():
    assert add.delay(2, 3).get(timeout=PATIENCE) == 5
    assert chain(add.s(1, 2), add.s(10), add.s(100))().get(timeout=PATIENCE) == 113
    assert sorted(group(add.s(i, i) for i in range(20))().get(timeout=PATIENCE)) == [2 * i for i in range(20)]


def retries():
    assert flaky.delay(2).get(timeout=PATIENCE) == 2


def eta():
    # More of them than the worker prefetches: it has to be able to raise its limit while it holds them.
    due = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=15)
    late = [stamp.apply_async(eta=due) for _ in range(10)]
    # Meanwhile the worker goes on with what is due now.
    assert add.delay(4, 4).get(timeout=PATIENCE) == 8
    assert time.time() < due.timestamp(), 'tasks that were due later held up one that was due at once'
    for result in late:
        assert result.get(timeout=PATIENCE) >= due.timestamp()


def revoke():
    due = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=10)
    doomed = add.apply_async((1, 1), eta=due)
    time.sleep(1)
    doomed.revoke()
    from celery.exceptions import TaskRevokedError
    try:
        doomed.get(timeout=PATIENCE)
        raise AssertionError('a revoked task ran')
    except TaskRevokedError:
        pass


def control():
    assert app.control.ping(timeout=20, limit=1), 'no worker answered'
    reserved = app.control.inspect(timeout=20, limit=1).stats()
    assert len(reserved) == 1, reserved


if __name__ == '__main__':
    globals()[sys.argv[1]]()
