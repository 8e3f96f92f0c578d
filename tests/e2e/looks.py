"""How a page looks to machines: WCAG, narrow screens, large text, the other direction of writing."""

from pathlib import Path
from typing import Any

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"


def accessible(page: Any, where: str) -> None:
    """WCAG 2.2 AA by axe, on the page as it stands."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = page.evaluate(
        "async (tags) => (await axe.run(document, { runOnly: tags })).violations.map("
        "(v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`)",
        tags,
    )
    assert found == [], f"{where}: {found}"


def fits(page: Any, where: str) -> None:
    """No sideways scrolling."""
    wide, shown = page.evaluate("() => [document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= shown, f"{where} is {wide} px wide on a screen of {shown}"


def bears(page: Any, where: str) -> None:
    """320 px, text at 200 %, and right to left: nothing runs out at the side, no button is cut."""
    size = page.viewport_size
    page.set_viewport_size({"width": 320, "height": 640})
    fits(page, f"{where} at 320 px")
    page.evaluate("() => { document.documentElement.dir = 'rtl'; }")
    fits(page, f"{where} right to left")
    page.evaluate("() => { document.documentElement.dir = ''; }")
    page.set_viewport_size(size)
    page.evaluate("() => { document.documentElement.style.fontSize = '200%'; }")
    fits(page, f"{where} with text of 200 %")
    cut = page.evaluate(CUT)
    assert cut == [], f"{where}: cut off: {cut}"
    page.evaluate("() => { document.documentElement.style.fontSize = ''; }")


CUT = """
() => {
  const cut = [];
  const look = (root) => {
    for (const element of root.querySelectorAll('*')) {
      if (element.shadowRoot) look(element.shadowRoot);
      if (!element.matches('button, a.button, summary') || !element.checkVisibility()) continue;
      const { left, right } = element.getBoundingClientRect();
      if (left < -1 || right > innerWidth + 1) cut.push(element.textContent.trim());
    }
  };
  look(document);
  return cut;
}
"""
