{{/*
When a pod gets requests, and when it is started anew. It has to reach Kafka once, so that no wrong address or password
replaces a good pod. After that it stays in the Service while Kafka is away: it answers 503 and when to come again, which
is more than a connection that is refused. The threads may all wait for Kafka, seconds long: a late answer is a good one.
*/}}
{{- define "api.probes" -}}
startupProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 5, timeoutSeconds: 5, failureThreshold: 180}
readinessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 5, timeoutSeconds: 10, failureThreshold: 2}
livenessProbe: {httpGet: {path: /healthz, port: http}, periodSeconds: 15, timeoutSeconds: 10, failureThreshold: 4}
lifecycle:
  # Until the Service's way here is closed everywhere.
  preStop: {sleep: {seconds: 5}}
{{- end }}

{{/*
Ready when the world has been brought up with the topic: until then the API answers 503 to what depends on it. It goes on by
itself when Kafka or the store is back, and is started anew only if it stands still.
*/}}
{{- define "api.worldProbes" -}}
{{- $caughtUp := list "env" "PYTHONPATH=/opt/gamelake/api" "python3" "/scripts/caught-up.py" | toJson -}}
# A long topic takes its time; killed meanwhile, it goes on where it was.
startupProbe: {exec: {command: {{ $caughtUp }}}, periodSeconds: 5, timeoutSeconds: 10, failureThreshold: 720}
readinessProbe: {exec: {command: {{ $caughtUp }}}, periodSeconds: 30, timeoutSeconds: 10}
livenessProbe: {exec: {command: [bash, /scripts/awake, "1", /tmp/awake]}, periodSeconds: 30, timeoutSeconds: 10, failureThreshold: 4}
{{- end }}

{{/*
Ready when it takes what it is told: not while it reads its file, nor when the volume is full. It lives as long as it
answers at all.
*/}}
{{- define "api.storeProbes" -}}
{{- $ping := "REDISCLI_AUTH=$STORE_PASSWORD valkey-cli -e ping" -}}
startupProbe: {exec: {command: [sh, -c, {{ $ping }}]}, periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 300}
readinessProbe: {exec: {command: [sh, -c, {{ $ping }}]}, periodSeconds: 10, timeoutSeconds: 5}
livenessProbe: {exec: {command: [valkey-cli, ping]}, periodSeconds: 15, timeoutSeconds: 10, failureThreshold: 8}
{{- end }}
