"""A picture of one part of a report's page, such as its Pareto front, by Debian's chromium."""

import argparse
import pathlib
import tempfile
from collections.abc import Sequence

from abacus.errors import AbacusError
from abacus.output import write_output

CHROMIUM, DRIVER = pathlib.Path("/usr/bin/chromium"), pathlib.Path("/usr/bin/chromedriver")
SECONDS = 120  # a busy machine


def picture(
    page: pathlib.Path, element: str, choices: Sequence[tuple[str, str]], width: int
) -> bytes:
    """PNG of the element that a CSS selector finds, in a window of so many pixels, once the
    choices (id of a list, entry) are made."""
    # Only here: a page is made without them.
    try:
        from selenium import webdriver
        from selenium.common.exceptions import NoSuchElementException
        from selenium.webdriver.chrome.options import Options
        from selenium.webdriver.chrome.service import Service
        from selenium.webdriver.common.by import By
        from selenium.webdriver.support.select import Select
        from selenium.webdriver.support.wait import WebDriverWait
    except ImportError as error:
        raise AbacusError("no python3-selenium; scripts/setup.sh lint installs it") from error
    for program in (CHROMIUM, DRIVER):
        if not program.exists():
            raise AbacusError(f"no {program}; scripts/setup.sh lint installs it")
    options = Options()
    with tempfile.TemporaryDirectory() as profile:
        for argument in (
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={profile}",
            f"--window-size={width},1400",
        ):
            options.add_argument(argument)
        options.binary_location = str(CHROMIUM)
        driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
        try:
            driver.get(page.resolve().as_uri())
            WebDriverWait(driver, SECONDS).until(
                lambda one: one.execute_script("return document.body.dataset.ready")
            )
            try:
                for name, entry in choices:
                    Select(driver.find_element(By.ID, name)).select_by_visible_text(entry)
                return bytes(driver.find_element(By.CSS_SELECTOR, element).screenshot_as_png)
            except NoSuchElementException as error:
                raise AbacusError(f"{page}: {error.msg}") from error
        finally:
            driver.quit()


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="scripts/picture", description=__doc__)
    parser.add_argument("page", type=pathlib.Path, help="report.html")
    parser.add_argument(
        "--element", default="#front .chart", help="CSS selector; default: the first front"
    )
    parser.add_argument(
        "--choose",
        action="append",
        default=[],
        metavar="ID=ENTRY",
        help="of a list on the page, as in colour=run; may be repeated",
    )
    parser.add_argument("--width", type=int, default=1000, help="of the window; default: 1000")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="PNG")
    options = parser.parse_args(arguments)
    try:
        if not options.page.is_file():
            raise AbacusError(f"{options.page}: no such file; abacus report makes it")
        if options.out.suffix != ".png":
            raise AbacusError(f"--out is {options.out}; must be a file ending in .png")
        choices = [choice.partition("=") for choice in options.choose]
        for name, equals, entry in choices:
            if not (name and equals and entry):
                raise AbacusError(f"--choose is {name}{equals}{entry}; must be ID=ENTRY")
        chosen = [(name, entry) for name, _, entry in choices]
        write_output(options.out, picture(options.page, options.element, chosen, options.width))
    except AbacusError as error:
        parser.exit(1, f"scripts/picture: {error}\n")
