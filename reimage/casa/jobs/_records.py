"""What a job remembers between starts: JSON files that are whole or absent."""

import json
import os

import _job


def write_json(path, document):
    """A JSON file that is whole or absent."""
    _job._write(path, document)


def read_json(path):
    """A JSON file."""
    with open(path) as stream:
        return json.load(stream)
