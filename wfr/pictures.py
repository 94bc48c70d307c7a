"""Pictures of printed pages: a PDF in, a PNG out. The only module that knows the rasteriser of pages."""

from __future__ import annotations
