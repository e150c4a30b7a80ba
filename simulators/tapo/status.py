"""A window for supervisors and measurements: `GET /state` tells what each camera has seen."""

from collections.abc import Sequence

from aiohttp import web

from simulators.tapo.camera import SimulatedTapo


class StatusPort:
    def __init__(self, cameras: Sequence[SimulatedTapo]) -> None:
        self._cameras = cameras
        self._runner: web.ServerRunner | None = None

    async def open(self, host: str, port: int) -> int:
        """Listen; answers the port, which the system chose when `port` is 0."""
        server = web.Server(self._handle, access_log=None)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.2)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method != "GET" or request.path != "/state":
            return web.json_response({"error": "GET /state is all there is"}, status=404)
        return web.json_response([camera.state() for camera in self._cameras])
