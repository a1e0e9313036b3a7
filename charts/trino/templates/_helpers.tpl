{{/*
The container of a node.
Arguments: the context, its role (coordinator, worker), the role's values.
*/}}
{{- define "trino.node" -}}
{{- $context := first . -}}
{{- $role := index . 1 -}}
{{- $etc := "/opt/gamelake/images/trino/etc" -}}
{{- include "common.image" (list $context $context.Values.image) }}
{{ include "common.container" . }}
env:
  - name: TRINO_ADDRESS
    valueFrom: {fieldRef: {fieldPath: status.podIP}}
  # All interfaces: port-forward uses loopback.
  - {name: TRINO_HOST, value: 0.0.0.0}
  - {name: TRINO_PORT, value: "8080"}
  - {name: TRINO_HEAP, value: {{ (last .).heap | quote }}}
  - {name: TRINO_SPILL, value: /spill}
  - {name: TRINO_SPILL_LIMIT, value: {{ printf "%dGB" (int $context.Values.spill.gib) }}}
  - {name: TRINO_QUERY_LIMIT, value: {{ $context.Values.query.maxExecutionTime | quote }}}
  {{- if $context.Values.monitoring.enabled }}
  - {name: TRINO_METRICS_PORT, value: "9404"}
  {{- end }}
  {{- include "common.javaOptions" $context | nindent 2 }}
  - {name: KAFKA_BOOTSTRAP_SERVERS, value: {{ $context.Values.global.kafka.bootstrapServers | quote }}}
  - {name: KAFKA_TOPIC, value: {{ $context.Values.global.kafka.topic | quote }}}
  - {name: KAFKA_SECURITY_PROTOCOL, value: {{ $context.Values.global.kafka.securityProtocol }}}
  {{- if hasPrefix "SASL" $context.Values.global.kafka.securityProtocol }}
  - {name: KAFKA_SASL_MECHANISM, value: {{ $context.Values.kafka.saslMechanism }}}
  - {name: KAFKA_SASL_USERNAME, value: {{ $context.Values.kafka.username | quote }}}
  - name: KAFKA_SASL_PASSWORD
    valueFrom:
      secretKeyRef:
        name: {{ $context.Values.kafka.existingSecret | default $context.Values.kafka.username }}
        key: password
  {{- end }}
  {{- if $context.Values.global.kafka.caSecret }}
  - {name: KAFKA_SSL_CA_LOCATION, value: /kafka/ca.crt}
  {{- end }}
  - {name: METASTORE_URI, value: {{ $context.Values.global.metastore.uri | quote }}}
  - name: TRINO_SHARED_SECRET
    valueFrom: {secretKeyRef: {name: {{ $context.Values.global.trino.loginSecret }}, key: shared-secret}}
  {{- if eq $role "coordinator" }}
  - {name: TRINO_LOGIN, value: /login}
  - {name: TRINO_TLS, value: /tls}
  - {name: TRINO_HTTPS_PORT, value: "8443"}
  - {name: TRINO_AUTHENTICATION, value: {{ if $context.Values.login.jwt.keysUrl }}"PASSWORD,JWT"{{ else }}PASSWORD{{ end }}}
  {{- if $context.Values.login.rules }}
  - {name: TRINO_RULES, value: /scripts/login-rules.json}
  {{- end }}
  - {name: TRINO_AUDIT_TOPIC, value: {{ $context.Values.global.kafka.auditTopic | quote }}}
  {{- end }}
{{- with $context.Values.catalogSecrets }}
envFrom:
  {{- range . }}
  - secretRef: {name: {{ . }}}
  {{- end }}
{{- end }}
ports:
  - {name: http, containerPort: 8080}
  {{- if $context.Values.monitoring.enabled }}
  - {name: metrics, containerPort: 9404}
  {{- end }}
  {{- if eq $role "coordinator" }}
  - {name: https, containerPort: 8443}
  {{- end }}
resources: {{- toYaml (last .).resources | nindent 2 }}
startupProbe:
  exec: {command: [bash, /scripts/started, "8080"]}
  periodSeconds: 5
  timeoutSeconds: 10
  failureThreshold: 240
readinessProbe: {httpGet: {path: /v1/info, port: http}, periodSeconds: 10, timeoutSeconds: 10}
livenessProbe: {httpGet: {path: /v1/info, port: http}, periodSeconds: 15, timeoutSeconds: 10, failureThreshold: 8}
volumeMounts:
  - {name: data, mountPath: /data}
  - {name: spill, mountPath: /spill}
  - {name: tmp, mountPath: /tmp}
  {{- include "common.kafka.mount" $context | nindent 2 }}
  - {name: config, mountPath: /scripts}
  {{- include "common.hdfs.mount" . | nindent 2 }}
  - {name: config, mountPath: {{ $etc }}/config.properties, subPath: {{ $role }}.properties}
  {{- if eq $role "worker" }}
  - {name: config, mountPath: {{ $etc }}/access-control.properties, subPath: access-control.properties}
  - {name: config, mountPath: {{ $etc }}/rules.json, subPath: worker-rules.json}
  {{- else }}
  - {name: login, mountPath: /login}
  - {name: tls, mountPath: /tls}
  {{- if $context.Values.resourceGroups }}
  - {name: config, mountPath: {{ $etc }}/resource-groups.json, subPath: resource-groups.json}
  {{- end }}
  {{- end }}
  {{- range $name, $_ := $context.Values.catalogs }}
  - {name: catalogs, mountPath: {{ $etc }}/catalog/{{ $name }}.properties, subPath: {{ $name }}}
  {{- end }}
{{- end }}

{{/*
The volumes of a node: none outlives it.
Arguments: the context, its role.
*/}}
{{- define "trino.volumes" -}}
{{- $role := last . -}}
{{- with first . -}}
# Logs of requests: at most 16 files of 100 MB.
- {name: data, emptyDir: {sizeLimit: 4Gi}}
# Larger than what Trino uses of it: a pod that fills its volume is evicted.
- {name: spill, emptyDir: {sizeLimit: {{ add1 .Values.spill.gib }}Gi}}
{{ include "common.tmp" . }}
{{ include "common.kafka.volume" . }}
- {name: config, configMap: {name: trino}}
{{ include "common.hdfs.volume" . }}
{{- if .Values.catalogs }}
- {name: catalogs, configMap: {name: trino-catalogs}}
{{- end }}
{{- if eq $role "coordinator" }}
- {name: login, secret: {secretName: {{ .Values.global.trino.loginSecret }}, items: [{key: password.db, path: password.db}]}}
- name: tls
  secret: {secretName: {{ include "trino.tlsSecret" . }}, items: [{key: tls.crt, path: tls.crt}, {key: tls.key, path: tls.key}]}
{{- end }}
{{- end }}
{{- end }}

{{/*
The Secret with the certificate of the coordinator: yours, or the one that clients read the authority from, too.
*/}}
{{- define "trino.tlsSecret" -}}
{{- $made := and .Values.global.secrets.create (eq .Values.global.trino.caSecret "trino-tls") }}
{{- if and .Values.tls.existingSecret $made (ne .Values.tls.existingSecret "trino-tls") }}
{{- fail "tls.existingSecret: also set global.trino.caSecret, to the Secret with its authority or to \"\" for a public one: nothing makes trino-tls" }}
{{- end -}}
{{ .Values.tls.existingSecret | default .Values.global.trino.caSecret | default "trino-tls" }}
{{- end }}

{{/*
The arguments of the Job that creates the Secrets (common.secrets).
*/}}
{{- define "trino.secrets" -}}
- --trino-login={{ .Values.global.trino.loginSecret }}
{{- if not .Values.tls.existingSecret }}
- --trino-tls={{ include "trino.tlsSecret" . }}
{{- $inside := printf "trino.%s" .Release.Namespace }}
# The last two are for port-forwards.
{{- range list "trino" $inside (printf "%s.svc" $inside) (printf "%s.svc.cluster.local" $inside) "localhost" "127.0.0.1" }}
- --trino-name={{ . }}
{{- end }}
{{- end }}
{{- end }}

{{/*
The annotation that restarts the nodes when their configuration changes.
*/}}
{{- define "trino.checksum" -}}
checksum/config: {{ include (print $.Template.BasePath "/configmap.yaml") . | sha256sum }}
{{ include "common.hdfs.checksum" . }}
{{- end }}
