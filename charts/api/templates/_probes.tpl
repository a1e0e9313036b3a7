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
