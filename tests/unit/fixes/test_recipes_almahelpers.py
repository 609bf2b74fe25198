from __future__ import annotations

from making import EB, MEMBER, make_tree

from reimage import fix
from reimage.delivery import layout
from reimage.settings import shipped

FIX = fix.read(shipped("fixes") / "recipes_almahelpers.py")
NAME = f"{MEMBER}/script/{EB}.ms.scriptForCalibration.py"
ILL = "import re\nfrom recipes.almahelpers import fixsyscaltimes # SACM/JAO - Fixes\nfixsyscaltimes(vis = 'x.ms')\n"


def delivery(root, text):
    return layout.read_layout(make_tree(root, {NAME: text}))


def test_a_clean_script_is_left_alone(tmp_path):
    assert (
        FIX.applies(
            delivery(tmp_path, "import re\n# from recipes.almahelpers import fixsyscaltimes\n"), {}
        )
        is None
    )


def test_the_import_is_guarded_and_the_script_runs(tmp_path, capsys):
    ill = delivery(tmp_path / "ill", ILL)
    assert EB in FIX.applies(ill, {})
    (patch,) = FIX.apply(ill, {})
    assert patch.path == NAME
    exec(compile(patch.text, NAME, "exec"), {})  # noqa: S102 -- our own patch, of our own text
    assert "SYSCAL of x.ms left as it is" in capsys.readouterr().out


def test_an_import_within_a_step_keeps_its_place(tmp_path):
    indented = "import re\nif True:\n    from recipes.almahelpers import fixsyscaltimes\n    fixsyscaltimes('x')\n"
    (patch,) = FIX.apply(delivery(tmp_path, indented), {})
    exec(compile(patch.text, NAME, "exec"), {})  # noqa: S102 -- the same


def test_twice_is_once(tmp_path):
    (patch,) = FIX.apply(delivery(tmp_path / "ill", ILL), {})
    assert FIX.applies(delivery(tmp_path / "mended", patch.text), {}) is None
