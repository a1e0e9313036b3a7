{{/*
Probes of the API. A pod must connect to Kafka once, so that a wrong address or password does not replace a working pod.
After that it stays in the Service while Kafka is unavailable: a 503 with Retry-After tells clients more than a refused
connection. All threads may wait for Kafka for seconds, so a late response counts as alive. The admin port answers even when
players are refused because there are too many requests.
*/}}
{{- define "api.probes" -}}
startupProbe: {httpGet: {path: /readyz, port: admin}, periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 180}
readinessProbe: {httpGet: {path: /healthz, port: admin}, periodSeconds: 5, timeoutSeconds: 10, failureThreshold: 2}
livenessProbe: {httpGet: {path: /healthz, port: admin}, periodSeconds: 15, timeoutSeconds: 10, failureThreshold: 4}
lifecycle:
  # Until every node has removed the pod from the Service.
  preStop: {sleep: {seconds: {{ .Values.service.drainSeconds }}}}
{{- end }}

{{/*
Probes of the world. It is ready when it has caught up with the topic; until then the API answers 503 to requests that need
it. It recovers by itself when Kafka or the store is back, and is restarted only if it hangs.
*/}}
{{- define "api.worldProbes" -}}
{{- $caughtUp := list "env" "PYTHONPATH=/opt/gamelake/api" "python3" "/scripts/caught-up.py" | toJson -}}
# A long topic takes a while; after a kill the world continues where it stopped.
startupProbe: {exec: {command: {{ $caughtUp }}}, periodSeconds: 5, timeoutSeconds: 10, failureThreshold: 720}
readinessProbe: {exec: {command: {{ $caughtUp }}}, periodSeconds: 30, timeoutSeconds: 10}
livenessProbe: {exec: {command: [bash, /scripts/awake, "1", /tmp/awake]}, periodSeconds: 30, timeoutSeconds: 10, failureThreshold: 4}
{{- end }}

{{/*
Probes of the store. It is ready when it accepts writes: not while it loads its file, and not when the volume is full. It is
alive as long as it answers.
*/}}
{{- define "api.storeProbes" -}}
{{- $client := printf "valkey-cli%s" (ternary " --tls --cacert /tls/ca.crt" "" (ne (include "api.storeTls" .) "")) -}}
{{- $ping := printf "REDISCLI_AUTH=$STORE_PASSWORD %s -e ping" $client -}}
startupProbe: {exec: {command: [sh, -c, {{ $ping }}]}, periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 300}
readinessProbe: {exec: {command: [sh, -c, {{ $ping }}]}, periodSeconds: 10, timeoutSeconds: 5}
livenessProbe: {exec: {command: [{{ $client | splitList " " | join ", " }}, ping]}, periodSeconds: 15, timeoutSeconds: 10, failureThreshold: 8}
{{- end }}
