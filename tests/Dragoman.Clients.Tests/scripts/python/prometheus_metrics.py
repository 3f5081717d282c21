"""Reads metrics with Prometheus' own Python client and prints them as JSON."""
import importlib.metadata
import json
import sys
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

if sys.argv[1] == "version":
    print(importlib.metadata.version("prometheus-client"))
    sys.exit()

text = urllib.request.urlopen(sys.argv[1], timeout=30).read().decode()
families = list(text_string_to_metric_families(text))
print(json.dumps({
    "types": {family.name: family.type for family in families},
    "undocumented": [family.name for family in families if not family.documentation],
    "samples": [[sample.name, sample.labels, sample.value] for family in families for sample in family.samples],
}))
