"""Work as tasks that several processes share, without talking to one another.

A task is done when its record says so, ready when what it needs is done, and belongs to the process whose
claim is there: a symbolic link from the task's name to the process' name, which only one can make.  A claim
is taken back when its task is done; one that stays says what a process that died was doing.
"""

import os
import sys
import time

LOOK_S = 0.2
ALIVE_S = 60.0
"""A process that waits says so this often: it does not hang."""


class Task(object):
    """One piece of work.

    ``name``: unique, good as a file name; ``run``: does it; ``is_done``: looks for its record; ``needs``:
    names of other tasks.
    """

    def __init__(self, name, run, is_done, needs=()):
        self.name, self.run, self.is_done, self.needs = name, run, is_done, tuple(needs)


class Share(object):
    """One process' part in the work.

    ``claims``: the directory of the claims, new for each start of all processes; ``worker``: own name.
    """

    def __init__(self, claims, worker):
        self.claims, self.worker = claims, str(worker)
        self._said = time.time()

    def work(self, tasks):
        """Do what is ready, in the order given, until everything is done, by whomever."""
        done = set()
        while True:
            done.update(task.name for task in tasks if task.name not in done and task.is_done())
            left = [task for task in tasks if task.name not in done]
            if not left:
                return
            ready = [task for task in left if done.issuperset(task.needs)]
            if not any(self._did(task) for task in ready):
                self.wait()

    def wait(self):
        """Let others go on for a moment."""
        time.sleep(LOOK_S)
        if time.time() - self._said > ALIVE_S:
            self._said = time.time()
            print("waiting for others")
            sys.stdout.flush()

    def _did(self, task):
        """Claim a task and do it; False where it is another's."""
        claim = os.path.join(self.claims, task.name)
        try:
            os.symlink(self.worker, claim)
        except FileExistsError:
            return False
        if not task.is_done():  # the one who claimed it before may have done it just now
            task.run()
            if not task.is_done():
                raise RuntimeError("%s was done and left no record" % task.name)
        os.remove(claim)
        return True
