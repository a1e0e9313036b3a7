"""Serves the metrics of the server in this pod at a port of their own, without what else its web port has.

Usage: metrics.py PORT (of the server's web interface) [PORT (9404)]
"""

import http.client
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Metrics(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path != "/metrics":
            self.send_error(404)
            return
        # Not by urllib, which would ask a proxy of the environment.
        server = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=10)
        try:
            server.request("GET", "/prom")
            answer = server.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.send_error(502, str(error))
            return
        finally:
            server.close()
        self.send_response(answer.status)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        """Prometheus asks too often to be logged."""


ThreadingHTTPServer(("", int((*sys.argv, "9404")[2])), Metrics).serve_forever()
