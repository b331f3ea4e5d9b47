"""Exit with 0 if a part of Airflow is healthy: `health.py scheduler`; `api` asks whether the API answers."""

import json
import sys
from urllib.request import ProxyHandler, build_opener

part = sys.argv[1]
host = "127.0.0.1" if part == "api" else "api-server"
with build_opener(ProxyHandler({})).open(f"http://{host}:8080/api/v2/monitor/health", timeout=8) as answer:
    health = json.load(answer)
sys.exit(part != "api" and health[part]["status"] != "healthy")
