"""The part of the Kubernetes API that the stand-ins use: it keeps objects by their paths, and knows no kind."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Object = dict[str, Any]


class ObjectStore:
    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "ObjectStore":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def kind(self, plural: str) -> dict[str, Object]:
        """Return all objects of a kind, by name."""
        return {path.rpartition("/")[2]: one for path, one in self.objects.items() if path.split("/")[-2] == plural}

    def get(self, path: str) -> Object | None:
        return self.objects.get(path)

    def find(self, path: str, selector: str) -> Object:
        labels = dict(one.split("=", 1) for one in selector.split(","))
        found = [one for place, one in self.objects.items() if place.rpartition("/")[0] == path]
        return {"items": [one for one in found if labels.items() <= one["metadata"].get("labels", {}).items()]}

    def put(self, path: str, body: Object) -> Object:
        old = self.objects.get(path, {"metadata": {"generation": 0}})
        changed = old.get("spec") != body.get("spec") or path not in self.objects
        metadata = body["metadata"] | {"generation": old["metadata"]["generation"] + changed, "uid": path}
        self.objects[path] = {**old, **body, "metadata": metadata}
        return self.objects[path]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        store = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                url = urlsplit(self.path)
                query = parse_qs(url.query)
                # Only lists have it.
                found = store.find(url.path, query["labelSelector"][0]) if query else store.get(url.path)
                self._send(found)

            def do_POST(self) -> None:
                body = self._body()
                self._send(store.put(f"{self.path}/{body['metadata']['name']}", body))

            def do_PATCH(self) -> None:
                path, body = urlsplit(self.path).path, self._body()
                if path.endswith("/status"):
                    store.objects[path.removesuffix("/status")]["status"] = body[0]["value"]
                    self._send({})
                else:
                    self._send(store.put(path, body))

            def log_message(self, *_: object) -> None:
                pass

            def _body(self) -> Any:  # noqa: ANN401 any JSON
                return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

            def _send(self, found: Object | None) -> None:
                content = json.dumps({"message": "not found"} if found is None else found).encode()
                self.send_response(404 if found is None else 200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

        return Handler
