"""Put the JavaScript that draws the plots page on this machine, for a page without internet.

Reads   nothing
Does    takes Vega, Vega-Lite and Vega-Embed out of the package vl-convert
Writes  one JavaScript file; .dvc/page.html, the template of the page, loads it, or else what DVC
        itself would load
"""

from pathlib import Path

import vl_convert

from stages.common.command import run
from stages.common.files import save_text

VEGA_LITE = "5.21"  # the newest release of what DVC's plots declare: Vega-Lite 5


def main(script: Path) -> None:
    save_text(script, vl_convert.javascript_bundle(vl_version=VEGA_LITE))


if __name__ == "__main__":
    run(main)
