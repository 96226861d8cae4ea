"""The page's look, and HTML of tables and numbers."""

import html
from collections.abc import Iterable, Sequence

STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; color: #222; background: #fff;
       max-width: 1120px; margin: 2.2em auto; padding: 0 1.4em; }
h1 { font-size: 1.7em; margin-bottom: 0.1em; } h2 { font-size: 1.25em; margin: 2em 0 0.3em; }
p.lead { color: #555; margin-top: 0.2em; } p.note { color: #666; font-size: 0.9em; }
.table { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.9em; margin: 0.6em 0; white-space: nowrap; }
th, td { padding: 0.3em 0.7em; text-align: right; border-bottom: 1px solid #e4e4e4;
         font-variant-numeric: tabular-nums; }
th { border-bottom: 2px solid #999; font-weight: 600; } th.text, td.text { text-align: left; }
svg { width: 100%; height: auto; margin: 0.4em 0; }
pre { background: #f6f6f4; padding: 0.9em 1.1em; overflow-x: auto; font-size: 0.86em;
      border-radius: 4px; }
details { margin: 0.5em 0; } summary { cursor: pointer; font-weight: 600; }
.bad { color: #b00020; font-weight: 600; }
"""


def escape(value: object) -> str:
    """As text of a page."""
    return html.escape(str(value))


def number(value: float | None, form: str = "{:,.0f}", missing: str = "–") -> str:
    """In this form; a dash where there is none."""
    return missing if value is None else form.format(value)


def table(
    header: Sequence[str], rows: Iterable[Sequence[str]], text_columns: tuple[int, ...] = (0,)
) -> str:
    """Cells are HTML already; `text_columns` are set to the left."""

    def row(cells: Sequence[str], tag: str) -> str:
        parts = []
        for i, cell in enumerate(cells):
            kind = ' class="text"' if i in text_columns else ""
            parts.append(f"<{tag}{kind}>{cell}</{tag}>")
        return "<tr>" + "".join(parts) + "</tr>"

    body = "".join(row(cells, "td") for cells in rows)
    return f'<div class="table"><table>{row(header, "th")}{body}</table></div>'
