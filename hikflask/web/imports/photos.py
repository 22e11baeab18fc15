"""The photos of an import: all of them on pages of their own, and the thumbnail of each."""

from functools import partial

from flask import Response, abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from hikflask.http.permissions import OPERATOR, allow
from hikflask.services.imports import queries
from hikflask.services.imports.photos import thumbnails
from hikflask.web.imports.imports import batch_or_404, bp
from hikflask.web.imports.photo_list import photo_list
from hikflask.web.support.pagination import listed


@bp.get("/<int:batch_id>/photos")
@allow(OPERATOR)
def photos(batch_id: int) -> ResponseReturnValue:
    """All photos of an import, the odd ones first; the import itself once its archive is removed."""
    batch = batch_or_404(batch_id)
    if not batch.photos_file:
        return redirect(url_for("imports.show", batch_id=batch_id), 303)
    listing = listed(partial(queries.photos_page, batch_id))
    about = {"batch": batch, "listing": listing, "photos": photo_list(batch, listing.rows, listing.total)}
    return render_template("imports/photos.html", **about)


@bp.get("/<int:batch_id>/photos/<int:row_id>")
@allow(OPERATOR, is_activity=False)
def photo(batch_id: int, row_id: int) -> Response:
    """Answer the thumbnail of the photo of a row, which is a JPEG of ours; nothing else of the archive is served."""
    batch, row = batch_or_404(batch_id), queries.find_row(batch_id, row_id) or abort(404)
    picture = thumbnails.read(batch.photos_file, row.photo) or abort(404)
    thumbnails.record_view(row)
    response = Response(picture, mimetype="image/jpeg")
    response.headers["Cache-Control"] = "private, no-store"
    return response
