import ast
from pathlib import Path

from prevalence.dependencies import _statements, imported_modules, transitive_modules

MODULES = {
    "prevalence": "",
    "prevalence.errors": "",
    "prevalence.files": "import json\nfrom prevalence.errors import PipelineError\n",
    "prevalence.figures": "",
    "prevalence.figures.style": "import prevalence.errors\n",
    "prevalence.degree": "def f():\n    from prevalence.figures import style\n",
    "prevalence.loop": "from prevalence import degree, loop\n",
}


def test_both_readings_of_from_imports_count():
    names = imported_modules("from prevalence.figures import style", "prevalence")
    assert names == {"prevalence.figures", "prevalence.figures.style"}


def test_other_packages_and_lookalikes_do_not_count():
    source = "import prevalence_extra\nfrom pandas import DataFrame\nimport os"
    assert imported_modules(source, "prevalence") == set()


def test_imports_inside_functions_and_parents_are_followed():
    found = transitive_modules("from prevalence import degree", "prevalence", MODULES.get)
    assert found == {
        "prevalence",
        "prevalence.degree",
        "prevalence.errors",
        "prevalence.figures",
        "prevalence.figures.style",
    }


def test_a_module_deep_in_a_package_brings_its_parents():
    found = transitive_modules("import prevalence.figures.style", "prevalence", MODULES.get)
    assert {"prevalence", "prevalence.figures"} <= found


def test_circles_end():
    found = transitive_modules("import prevalence.loop", "prevalence", MODULES.get)
    assert {"prevalence.loop", "prevalence.degree"} <= found


def test_imports_count_wherever_a_statement_may_stand():
    source = """
try:
    import prevalence.errors
except ImportError:
    from prevalence import files
else:
    import prevalence.degree
finally:
    for _ in ():
        pass
    else:
        import prevalence.loop
match 1:
    case 1:
        import prevalence.figures
class A:
    async def f(self):
        async with x as y:
            import prevalence.figures.style
"""
    assert {
        "prevalence.errors",
        "prevalence.files",
        "prevalence.degree",
        "prevalence.loop",
        "prevalence.figures",
        "prevalence.figures.style",
    } <= imported_modules(source, "prevalence")


def test_imports_are_found_however_they_are_written():
    source = """
from prevalence import (  # (these
    files,  # and those :)
    degree,
)
import os; import prevalence.errors
from prevalence.figures import \\
    style
if True: import prevalence.loop
"""
    found = imported_modules(source, "prevalence")
    assert found >= {"prevalence.files", "prevalence.degree", "prevalence.errors"}
    assert found >= {"prevalence.figures.style", "prevalence.loop"}


def test_prose_that_looks_like_an_import_is_none():
    source = '"""\nfrom prevalence import of all kinds\n"""\nimport prevalence.errors\n'
    assert imported_modules(source, "prevalence") == {"prevalence.errors"}


def test_every_import_of_this_project_is_found_as_in_a_whole_parse():
    root = Path(__file__).parents[2]
    for path in [*root.glob("src/prevalence/**/*.py"), *root.glob("scripts/*/*.py")]:
        source = path.read_text(encoding="utf-8")
        names = set()
        for node in _statements(ast.parse(source)):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        whole = {name for name in names if f"{name}.".startswith("prevalence.")}
        assert imported_modules(source, "prevalence") == whole, path
