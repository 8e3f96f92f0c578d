"""QR codes (ISO/IEC 18004), for going on with a phone."""

import io

import segno


def qr_code(text: str) -> bytes:
    """An SVG picture that fills its place, black on white with the quiet zone that readers need."""
    picture = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        picture, kind="svg", omitsize=True, xmldecl=False, light="#ffffff", border=4
    )
    return picture.getvalue()
