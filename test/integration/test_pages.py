# SPDX-License-Identifier: Apache-2.0
"""The pages as people see them, in Chromium: both languages, both themes, wide and narrow.

Needs what tools/setup browser installs; skips where it is absent.
"""

import contextlib
import re
import shutil
import sys

import pytest
from conftest import ROOT
from shop import sale, sell, token_of

DRIVER = ROOT / ".deps" / "browser"
AXE = DRIVER / "axe_playwright_python" / "axe.min.js"
LOOKS = [(lang, theme) for lang in ("en", "ar") for theme in ("light", "dark")]
WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 844}

# Texts that do not fit where they stand, and a page that is wider than its window.
CUT_OFF = """() => {
  const wide = document.documentElement.scrollWidth > innerWidth ? ["the page"] : [];
  const cut = (e) => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1;
  const all = document.querySelectorAll("button, dt, dd, th, td, p, h1");
  return wide.concat([...all].filter(cut).map((e) => e.outerHTML));
}"""


@pytest.fixture(scope="module")
def chromium():
    program = shutil.which("chromium")
    if program is None or not AXE.exists():
        pytest.skip("the browser is not there (tools/setup browser)")
    sys.path.append(str(DRIVER))
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        options = {"executable_path": program, "args": ["--no-sandbox"]}  # for root
        with contextlib.closing(playwright.chromium.launch(**options)) as browser:
            yield browser


class Page:
    """An open page, and all that its console said."""

    def __init__(self, browser, node, lang="en", theme="light", size=WIDE):
        self.context = browser.new_context(viewport=size, reduced_motion="reduce")
        self.tab = self.context.new_page()
        self.said = []
        self.tab.on("console", lambda line: self.said.append(f"{line.type}: {line.text}"))
        self.tab.on("pageerror", lambda error: self.said.append(f"error: {error}"))
        self.tab.goto(f"{node.url()}/?lang={lang}&theme={theme}")
        self.wait("#how", "●")

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.context.close()

    def wait(self, selector, text):
        self.tab.locator(selector).filter(has_text=text).first.wait_for(timeout=15000)

    def text(self, selector):
        return self.tab.locator(selector).inner_text()

    def row(self):
        """The texts of the one branch's cells."""
        return self.tab.locator("#rows tr > *").all_inner_texts()

    def attribute(self, name):
        return self.tab.locator("html").get_attribute(name)

    def check(self):
        """Nothing is cut off, no rule of accessibility is broken."""
        assert self.tab.evaluate(CUT_OFF) == []
        self.tab.evaluate(AXE.read_text())
        found = self.tab.evaluate("() => axe.run()")
        assert found["passes"], "axe looked at nothing"
        broken = [(rule["id"], [n["html"] for n in rule["nodes"]]) for rule in found["violations"]]
        assert broken == []


@pytest.fixture
def chain(wasl):
    centre = wasl.centre().serve()
    till = wasl.joined(centre).serve()
    sell(till, token_of(wasl, till), [sale("BR01", "1")])
    return centre, till


@pytest.mark.parametrize("which", ["centre", "till"])
def test_a_page_is_whole_in_both_languages_and_themes(chromium, chain, which):
    node = chain[which == "till"]
    for lang, theme in LOOKS:
        for size in (WIDE, NARROW):
            with Page(chromium, node, lang, theme, size) as page:
                page.wait("#rows, #settled", "1")
                page.check()
                assert page.attribute("lang") == lang
                assert page.attribute("dir") == ("rtl" if lang == "ar" else "ltr")
                assert page.attribute("data-theme") == theme
                untranslated = re.findall("[a-z]+", page.text("dl.totals >> nth=0"))
                assert lang == "en" or untranslated == []
                assert page.said == []


def test_the_console_says_what_it_cannot_know_of_a_branch_that_is_away(chromium, chain):
    centre, till = chain
    with Page(chromium, centre) as page:
        page.wait("#rows", "In step")
        _, _, pending, oldest, *_ = page.row()
        assert (pending, oldest, page.text("#pending"), page.text("#away")) == ("0", "–", "0", "0")
        till.stop()
        page.wait("#rows", "Lost contact")
        _, _, pending, oldest, *_ = page.row()
        assert (pending, oldest, page.text("#pending"), page.text("#away")) == ("?", "?", "?", "1")
        page.check()


@pytest.mark.parametrize("which", ["centre", "till"])
def test_a_page_says_when_its_node_does_not_answer(chromium, chain, which):
    node = chain[which == "till"]
    for theme in ("light", "dark"):
        with Page(chromium, node, "en", theme) as page:
            page.wait("#rows, #settled", "1")
            page.tab.route("**/api/**", lambda route: route.abort())
            page.tab.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
            page.wait("#how", "No answer from the node")
            page.check()


def test_a_page_keeps_the_chosen_language_and_theme(chromium, chain):
    with Page(chromium, chain[0]) as page:
        page.tab.click("#language")
        page.tab.click("#theme")
        page.tab.goto(chain[0].url())
        page.wait("#how", "مباشر")
        assert [page.attribute(n) for n in ("lang", "dir", "data-theme")] == ["ar", "rtl", "dark"]


def test_a_page_shows_a_sale_without_being_asked_again(chromium, wasl, chain):
    _, till = chain
    with Page(chromium, till) as page:
        page.wait("#settled", "1")
        sell(till, token_of(wasl, till), [sale("BR01", "2")])
        page.wait("#settled", "2")
        assert page.said == []
