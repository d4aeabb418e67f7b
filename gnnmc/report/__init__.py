"""The report: named tables and figures of a study as one HTML file that needs nothing else.

The public face promises both a package `gnnmc.report` and a call `gnnmc.report(folder)`. The import system puts the
package in the place of the function as soon as anything below it is imported, so the package itself is callable: it
writes `report.html`, `figures/` and `shown/` of a run folder anew and returns the page's path.

Raises InputError for a folder that `gnnmc run` has not finished, GnnmcError where it cannot be written.
"""

import sys
from pathlib import Path
from types import ModuleType

from gnnmc.report.remake import report
from gnnmc.report.render import render_page

__all__ = ["render_page", "report"]


class _CallableModule(ModuleType):
    def __call__(self, folder: str | Path) -> Path:
        return report(folder)


sys.modules[__name__].__class__ = _CallableModule
