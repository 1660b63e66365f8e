# SPDX-License-Identifier: Apache-2.0
"""Draws the README's pictures from the bundled samples, without a screen.

`--check` only draws into a temporary folder and checks that the pictures are pictures.
"""

import argparse
import os
import tempfile
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtGui import QImage

from tflm_studio.editing.document import Document
from tflm_studio.model.address import parse_address
from tflm_studio.model.resource_files import resource_path
from tflm_studio.ui.app.screenshot import draw

IMAGES = Path(__file__).resolve().parent / "images"
SIZE = (1280, 800)
PLACE = parse_address("subgraphs[0].operators[2]")
FEWEST_COLOURS = 40


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="leave the committed ones alone")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) if arguments.check else IMAGES
        target.mkdir(exist_ok=True)
        for theme in ("light", "dark"):
            path = target / f"window-{theme}.png"
            document = Document.open(resource_path("samples/shapes_int8.tflite"))
            draw(document, path, theme, SIZE, PLACE, page="Heat map")
            check(path)
            print(f"drew {path.name}")


def check(path: Path) -> None:
    image = QImage(str(path))
    places = ((x, y) for x in range(0, image.width(), 5) for y in range(0, image.height(), 5))
    colours = {image.pixel(x, y) for x, y in places}
    if (image.width(), image.height()) != SIZE or len(colours) < FEWEST_COLOURS:
        raise SystemExit(f"{path}: this is not a picture of the window")


if __name__ == "__main__":
    main()
