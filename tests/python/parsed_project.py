"""The project as dbt parses it, once for every build of a session.

The server that builds are forked from imports this before the first of them. Nothing reads a var
while the project is parsed: no model's configuration does, and dbt renders the arguments of a test
when it runs. So one manifest serves builds with any vars.
"""

import contextlib
import gc
import os
import tempfile

import jinja2
from conftest import OPEN_AS, OPEN_FILES, PLACES, ROOT, placed
from dbt.cli.main import dbtRunner
from dbt.parser.manifest import ManifestLoader
from dbt_common.clients.jinja import get_environment
from dbt_common.events.base_types import EventLevel
from dbt_common.events.event_manager import EventManager


def _compile_once() -> None:
    """Let Jinja compile a text once: dbt has it compile the body of every node in every run."""
    compile_text, known = jinja2.Environment.compile, {}

    def compile_once(self, source, *args, **kwargs):
        if args or kwargs or not isinstance(source, str):
            return compile_text(self, source, *args, **kwargs)
        key = type(self), source
        if key not in known:
            known[key] = compile_text(self, source)
        return known[key]

    jinja2.Environment.compile = compile_once


def _say_what_is_shown() -> None:
    """Let dbt pass over what nobody is shown: it renders every debug line, whoever listens."""
    fire_event = EventManager.fire_event

    def fire_what_is_shown(self, e, level=None, *args, **kwargs):
        shown = {logger.level for logger in self.loggers}
        is_heard = self.callbacks or shown & {EventLevel.DEBUG, EventLevel.TEST}
        if is_heard or (level or e.level_tag()) not in (EventLevel.DEBUG, EventLevel.TEST):
            fire_event(self, e, level, *args, **kwargs)

    EventManager.fire_event = fire_what_is_shown


def _parse_once_for_all_vars() -> None:
    """Let dbt keep what it parsed where vars alone changed: nothing reads one while it parses."""
    check = ManifestLoader.build_manifest_state_check

    def check_without_vars(self):
        said, self.root_project.cli_vars = self.root_project.cli_vars, {}
        try:
            return check(self)
        finally:
            self.root_project.cli_vars = said

    ManifestLoader.build_manifest_state_check = check_without_vars


def parsed(project):
    """Return dbt's manifest, or None where a build's folders have no path that stays the same.

    Args:
        project: the folder of a dbt project.
    """
    if not OPEN_FILES.exists():
        return None
    folders = {name: str(OPEN_FILES / str(number)) for name, number in OPEN_AS.items()}
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(project):
        os.environ |= {name: placed(value, folders) for name, value in PLACES.items()}
        os.environ |= {"DBT_TARGET_PATH": folder, "DBT_LOG_PATH": folder}
        result = dbtRunner().invoke(["--quiet", "parse"])
    return result.result if result.success else None


_compile_once()
_say_what_is_shown()
_parse_once_for_all_vars()
MANIFEST = parsed(ROOT)
if MANIFEST:
    for node in MANIFEST.nodes.values():
        with contextlib.suppress(jinja2.TemplateError):
            get_environment().from_string(node.raw_code)
# None of this is garbage: the collector of a forked process need not walk over it.
gc.collect()
gc.freeze()
