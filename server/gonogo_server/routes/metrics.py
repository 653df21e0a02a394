"""Metrics for Prometheus."""

from fastapi import APIRouter, Request, Response

from gonogo_server.operations.metrics import CONTENT_TYPE, Metrics

router = APIRouter()


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """All metrics, in the Prometheus text format."""
    figures: Metrics = request.app.state.metrics
    return Response(figures.text(), media_type=CONTENT_TYPE)
