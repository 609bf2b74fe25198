"""The switch of the weblog, and results."""

from __future__ import annotations

DISABLE_WEBLOG = False


class Pool:
    def __init__(self):
        self.pool = []


class Score:
    def __init__(self, score, shortmsg, longmsg):
        self.score, self.shortmsg, self.longmsg = score, shortmsg, longmsg


class Results:
    def __init__(self, **what):
        self.qa = Pool()
        vars(self).update(what)


class FailedTaskResults(Results):
    pass
