"""Stand-in for the ALMA pipeline: behaves as documented, and fails as documented, without CASA.

What it is to do stands in ``standin.json`` in the MS that is imported: ``targets`` ({name: [spw]}),
``flagged`` ([[name, spw]]), ``cont`` (whether continuum is found), and ``ills``:
``raise``, ``return`` ({task: text of an exception}), ``says`` ({task: warning}),
``die`` ([task] or [task, specmode of the list]),
``hang`` (task; while a weblog is on, or ``always``), ``hang_once`` (task, leaving a partial MS),
``unclean`` (["spw0.cube"]), ``vanished``, ``unmitigable`` and ``blank`` (true).
"""

from __future__ import annotations

revision = "2025.1.0.35"
