"""The few pages that people see of the web face: one sentence each, safe to show to anybody."""

from starlette.responses import HTMLResponse

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}
"""What every answer to a link says."""

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 17px/1.5 system-ui, sans-serif; max-width: 32rem; margin: 15vh auto 0; padding: 0 1.25rem; color: #1c1c1c; background: #fff; }}
h1 {{ font-size: 1.5rem; margin: 0 0 .5rem; }}
button {{ font: inherit; padding: .6rem 1.4rem; border: 0; border-radius: .4rem; background: #1c1c1c; color: #fff; cursor: pointer; }}
@media (prefers-color-scheme: dark) {{ body {{ background: #161616; color: #eee; }} button {{ background: #eee; color: #161616; }} }}
</style></head><body><h1>{title}</h1><p>{text}</p>{form}</body></html>"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"


def page(title: str, text: str, form: str = "", status: int = 200) -> HTMLResponse:
    """A page; `text` and `form` are HTML."""
    html = _PAGE.format(title=title, text=text, form=form)
    return HTMLResponse(html, status, headers={**HEADERS, "Content-Security-Policy": _POLICY})


def no_such_link() -> HTMLResponse:
    """What whoever follows a link is shown that nobody made; nothing of it is repeated."""
    text = "It may have been cut in two by a mail program. Open it from the mail again."
    return page("This link does not work", text, status=404)
